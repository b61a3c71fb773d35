"""Residents for the tests: one Python program that does what each item's data tells it.

The program writes a line to the file "log" for each request (its pid, and the keys), so that a test
can see which process had which. Data, by member:
  act     done (default), fail, skip, retry, die (SIGKILL of itself), exit N, hang, once (hang once), twice, stale,
          limit (and then retry), null (an outcome whose key is null), foundling (a spawn without a
          key, then done), behind (done, then a spawn), lost (a spawn without an id, then done),
          wait (for "other", without a key), garbage (text
          without an id), nonsense (a broken message with its id), endless, late
  wait    seconds before the answer, without holding up other requests
"""
import json
import os

from stint_test import StintTest

# No beat comes in time to be the reason why something is noticed.
SELDOM = {"heartbeat_interval": "10m", "heartbeat_timeout": "30m"}

PROGRAM = r'''#!/usr/bin/python3
import json, os, select, signal, sys, threading
out, lock = os.dup(1), threading.Lock()
os.dup2(2, 1)
args = dict(a.split("=", 1) for a in sys.argv[1:])

def say(**message):
    with lock:
        os.write(out, (json.dumps(message) + "\n").encode())

def note(text):
    with open("log", "a", encoding="utf-8") as f:
        f.write(f"{os.getpid()} {text}\n")

def act(request, item, batch):
    data = item.get("data") or {}
    if data.get("wait"):
        select.select([], [], [], data["wait"])
    about = {"id": request["id"]}
    if batch:
        about["key"] = item["key"]
    kind = data.get("act", "done")
    done = {"type": "done", **about, "result": {"pid": os.getpid(), "key": item["key"],
                                                "attempt": item["attempt"],
                                                "version": request["version"]}}
    if kind == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == "exit":
        os._exit(data["status"])
    elif kind == "hang":
        return
    elif kind == "once" and not os.path.exists(f"once-{item['key']}"):
        open(f"once-{item['key']}", "x").close()
    elif kind == "twice":
        say(**done)
        say(**{**done, "result": "second"})
    elif kind == "stale":
        say(**{**done, "id": request["id"] + 1000})
        say(**done)
    elif kind == "garbage":
        with lock:
            os.write(out, b"hello world\n")
    elif kind == "nonsense":
        say(type="skip", **about, why=7)
        say(type="skip", **about, why=8)
    elif kind == "null":
        say(**{**done, "key": None})
    elif kind == "foundling":
        say(type="spawn", id=request["id"], items=[{"key": "child"}])
        say(**done)
    elif kind == "behind":
        say(**done)
        say(type="spawn", **about, items=[{"key": "late child"}])
    elif kind == "lost":
        say(type="spawn", items=[{"key": "child"}])
        say(**done)
    elif kind == "wait":
        say(type="wait", id=request["id"], items=[{"key": "other"}])
    elif kind == "endless":
        while True:
            os.write(out, b"x" * 65536)
    elif kind == "limit":
        say(type="limit", id=request["id"], resource="api", retry_after=0.01)
        say(type="retry", **about)
    elif kind in ("fail", "skip", "retry"):
        say(type=kind, **about, why=f"{kind} of {item['key']}")
    else:
        say(**done)

version = args.get("version", "")
if version.startswith("@"):
    with open(version[1:], encoding="utf-8") as f:
        version = f.read()
note("start")
if "hello" not in args:
    say(type="hello", protocol=int(args.get("protocol", 1)),
        **({"version": version} if version else {}))
elif args["hello"] == "exit":
    print("no database", file=sys.stderr)
    sys.exit(3)
elif args["hello"] == "leave":
    say(type="hello", protocol=1)
    sys.exit(3)
elif args["hello"] == "garbage":
    os.write(out, b"Welcome to my handler\n")
for line in sys.stdin:
    request = json.loads(line)
    if request["type"] != "run":
        note(f"{request['type']} {request['id']}")
        if request["type"] == "cancel" and "polite" in args:
            say(type="retry", id=request["id"], why="cancelled")
        continue
    batch = "items" in request
    items = request["items"] if batch else [request]
    note("run " + " ".join(i["key"] for i in items))
    for item in items:
        if (item.get("data") or {}).get("wait") or "threads" in args:
            threading.Thread(target=act, args=(request, item, batch), daemon=True).start()
        else:
            act(request, item, batch)
note("end")
if "linger" in args:
    while True:
        select.select([], [], [], 1)
'''


class ResidentTest(StintTest):
    def setUp(self):
        super().setUp()
        self.write("r.py", PROGRAM, 0o700)

    def job(self, lines="", args="", attempts=2, **pool):
        self.config(f"[job j]\nhandler = resident ./r.py {args}\nmax_attempts = {attempts}\n"
                    f"backoff = 1ms\n{lines}", **{"workers": 1, **pool})

    def add(self, **items):
        """KEY=DATA each, in this order."""
        lines = "".join(json.dumps({"key": k, "data": v}) + "\n" for k, v in items.items())
        self.stint("add", "j", "--from", "-", stdin=lines)

    def log(self):
        """[pid, what, words…] of what the residents noted."""
        if not os.path.exists(self.path("log")):
            return []
        with open(self.path("log"), encoding="utf-8") as f:
            return [line.split() for line in f]

    def noted(self, what):
        return [line for line in self.log() if line[1] == what]

    def all_statuses(self):
        return {r["key"]: r["status"] for r in self.runs()}
