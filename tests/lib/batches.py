"""Exec handlers with batch, for the tests: a Python program that does what each item's data tells it.

It writes a line to the file "log" for each process (its pid, and the keys). Data, by member:
  act     done (default), fail, skip, retry, none (says nothing), die (SIGKILL of itself), hang,
          once (hangs the first time), leave (ends at once by its status), nonsense (a broken message
          with its key), garbage (a line that is none), stray (a key that is not in the batch first),
          lost (spawns into a job that is not there), limit (and then retry), spend (a cost
          and an item), all (an outcome without a key), fifo (waits until somebody has written to
          the file "fifo"), nores (a limit of a resource that is not there), murder (SIGKILL of its
          worker), foundling (spawns without a key), null (an outcome whose key is null),
          wait (for "other", without a key: for all), trail (a limit of a resource that is not there
          behind its outcome)
  status  the exit status of the process
  print   so many bytes on standard output
  point   a checkpoint, before the act
"""
import os

from stint_test import StintTest

PROGRAM = r'''#!/usr/bin/python3
import json, os, signal, sys
request = json.load(sys.stdin)
status = 0

def say(**message):
    os.write(3, (json.dumps(message) + "\n").encode())

def act(item, data):
    global status
    status = data.get("status", status)
    sys.stdout.write("x" * data.get("print", 0))
    kind, about = data.get("act", "done"), {"key": item["key"]}
    done = {"type": "done", **about, "result": {"key": item["key"], "attempt": item["attempt"],
                                                "checkpoint": item["checkpoint"]}}
    if "point" in data:
        say(type="checkpoint", data=data["point"], **about)
    if kind == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == "fifo":
        open("at-fifo", "w").close()
        open("fifo", encoding="utf-8").read()
        say(**done)
    elif kind == "nores":
        say(type="limit", resource="nores", retry_after=1, **about)
        say(**done)
    elif kind == "murder":
        os.kill(os.getppid(), signal.SIGKILL)
        signal.pause()
    elif kind == "wait":
        say(type="wait", items=[{"key": "other"}])
    elif kind == "trail":
        say(**done)
        say(type="limit", resource="nores", retry_after=1)
    elif kind == "null":
        say(**{**done, "key": None})
    elif kind == "foundling":
        say(type="spawn", items=[{"key": f"child of {item['key']}"}])
        say(**done)
    elif kind == "hang" or kind == "once" and not os.path.exists(f"once-{item['key']}"):
        open(f"once-{item['key']}", "w").close()
        while True:
            signal.pause()
    elif kind == "leave":
        sys.exit(status)
    elif kind == "nonsense":
        say(type="skip", why=7, **about)
    elif kind == "garbage":
        os.write(3, b"hello world\n")
    elif kind == "stray":
        say(**{**done, "key": "elsewhere"})
        say(type="progress", done=1)
        say(**done)
    elif kind == "lost":
        say(type="spawn", items=[{"job": "nowhere", "key": "k"}], **about)
        say(**done)
    elif kind == "limit":
        say(type="limit", resource="api", retry_after=0.01)
        say(type="retry", why="HTTP 429", **about)
    elif kind == "all":
        say(type="done", result="of all")
    elif kind == "spend":
        say(type="cost", usd=0.5, **about)
        say(type="spawn", items=[{"key": f"child of {item['key']}"}], **about)
        say(**done)
    elif kind in ("fail", "skip", "retry"):
        say(type=kind, why=f"{kind} of {item['key']}", **about)
    elif kind != "none":
        say(**done)

with open("log", "a", encoding="utf-8") as f:
    f.write(" ".join([str(os.getpid()), *(i["key"] for i in request["items"])]) + "\n")
for item in request["items"]:
    act(item, item["data"])
print("last words", file=sys.stderr)
sys.exit(status)
'''


class BatchTest(StintTest):
    def setUp(self):
        super().setUp()
        self.write("b.py", PROGRAM, 0o700)

    def job(self, batch=10, attempts=2, lines="", **pool):
        self.config(f"[job j]\nhandler = exec ./b.py\nbatch = {batch}\nmax_attempts = {attempts}\n"
                    f"backoff = 1ms\n{lines}", **{"workers": 1, **pool})

    def batches(self):
        """The keys of each process, in the order of their starts."""
        if not os.path.exists(self.path("log")):
            return []
        with open(self.path("log"), encoding="utf-8") as f:
            return [line.split()[1:] for line in f]

    def pids(self):
        with open(self.path("log"), encoding="utf-8") as f:
            return [int(line.split()[0]) for line in f]

    def all_statuses(self):
        return {r["key"]: r["status"] for r in self.runs()}

    def all_attempts(self):
        return {r["key"]: r["attempts"] for r in self.runs()}
