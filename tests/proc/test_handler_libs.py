"""The helper libraries for handlers: the same things said by each, as exec and as resident."""
import json
import os
import shutil
import subprocess
import unittest

import path  # noqa: F401
from stint_test import ROOT, StintTest, main
from waiting import wait_until

HANDLERS = os.path.join(ROOT, "tests", "proc", "handlers")
LIBRARIES = os.path.join(ROOT, "conf", "handlers")
TEXT = 'a"\\/\b\f\n\r\té€😀\x1b,{[:]}'
REQUEST = {"type": "run", "id": 7, "job": "j", "stage": "s", "key": "k",
           "data": {"skip": [1, {"text": "no"}, "]}"], "text": TEXT}, "attempt": 3,
           "max_attempts": 5, "checkpoint": None, "inputs": {"none": None, "first": {"n": -1.5e3}},
           "waited": [], "claim": "1-2", "deadline_ms": 1000, "version": ""}
MESSAGES = [
    {"type": "progress", "done": 1, "total": 10},
    {"type": "progress", "failed": 2},
    {"type": "checkpoint", "data": {"offset": 5}},
    {"type": "cost", "usd": 0.5, "tokens": 7, "of": 'model "x"'},
    {"type": "limit", "retry_after": "30s"},
    {"type": "limit", "retry_after": 30, "resource": "api", "key": "host"},
    {"type": "spawn", "items": [{"key": "x", "data": {"a": 1}, "job": "other", "priority": 4}]},
    {"type": "spawn", "items": [{"key": "y"}]},
    {"type": "log", "level": "warn", "text": 'two\nlines\tand "more" \\ é'},
]
OUTCOMES = {
    "fail": {"type": "fail", "why": "no such page"},
    "skip": {"type": "skip", "why": "not needed"},
    "retry": {"type": "retry", "why": "HTTP 503", "after": "30s"},
    "retry-now": {"type": "retry", "why": "again"},
    "snooze": {"type": "snooze", "why": "not yet", "after": 600},
    "wait": {"type": "wait", "items": [{"job": "o", "key": "k"}], "on_failure": "continue"},
}


class Library:
    """What the tests of every library share; a subclass says which."""
    handler = None
    program = None
    crash = None

    def setUp(self):
        super().setUp()
        if not shutil.which(self.program):
            self.skipTest(f"{self.program} is not installed")
        self.argv = [self.program, os.path.join(HANDLERS, self.handler[0]), *self.handler[1:]]
        self.env = self.environment({"PYTHONPATH": LIBRARIES, "NODE_PATH": LIBRARIES,
                                     "LIB_SH": os.path.join(LIBRARIES, "stint.sh"),
                                     "PYTHONDONTWRITEBYTECODE": "1"})

    def run_it(self, requests, is_exec):
        """Messages, and what was printed beside them."""
        text = "".join(json.dumps(r, ensure_ascii=i % 2 == 0) + "\n" for i, r in enumerate(requests))
        read, write = os.pipe()
        argv = ["bash", "-c", f'STINT_CONTROL_FD=3 exec "$@" 3>&{write} {write}>&-', "",
                *self.argv] if is_exec else self.argv
        with subprocess.Popen(argv, stdin=subprocess.PIPE, env=self.env, pass_fds=[write],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            os.close(write)
            out, err = process.communicate(text.encode(), timeout=60)
            with os.fdopen(read, "rb") as control:
                said = control.read()
        self.assertEqual(process.returncode, 0, err)
        if not is_exec:
            self.assertEqual(said, b"")
            said, out = out, b""
        return [json.loads(line) for line in said.decode().splitlines()], out.decode() + err.decode()

    def ask(self, key, is_exec, **members):
        """What is said about one item, without the id and the hello, which are checked."""
        said, printed = self.run_it([{**REQUEST, "key": key, **members}], is_exec)
        self.assertIn("printed, and nowhere in the protocol", printed)
        if not is_exec:
            self.assertEqual(said.pop(0), {"type": "hello", "protocol": 1, "version": "1.5"})
        for message in said:
            self.assertEqual(message.pop("id"), 7)
        return said

    def test_outcomes(self):
        for is_exec in (True, False):
            for key, outcome in OUTCOMES.items():
                with self.subTest(key, is_exec=is_exec):
                    self.assertEqual(self.ask(key, is_exec), [outcome])

    def test_messages(self):
        for is_exec in (True, False):
            self.assertEqual(self.ask("messages", is_exec)[:len(MESSAGES)], MESSAGES)

    def test_members_of_the_request(self):
        start = f"j s 3 {self.text_given()}"
        for is_exec in (True, False):
            result = self.ask("request", is_exec)[0]["result"]
            self.assertEqual(result[:len(start)], start)
            self.assertEqual(float(result[len(start):]), -1500)

    def text_given(self):
        """TEXT as the library can give it back."""
        return TEXT

    def test_what_was_restored(self):
        for checkpoint in (None, {"offset": 9, "deep": [{"a": "]"}]}, 5, "text", [1, 2]):
            with self.subTest(checkpoint=checkpoint):
                self.assertEqual(self.ask("restored", False, checkpoint=checkpoint),
                                 [{"type": "done", "result": checkpoint}])

    def test_crash(self):
        said = self.ask("crash", False)
        self.assertEqual([m["type"] for m in said], ["retry"])
        self.assertIn(self.crash, said[0]["why"])

    def test_one_after_the_other(self):
        keys = ["fail", "crash", "skip", "none"]
        said, _ = self.run_it([{**REQUEST, "id": i, "key": k} for i, k in enumerate(keys)] +
                              [{"type": "cancel", "id": 2}, {"type": "later"}], False)
        self.assertEqual([(m["id"], m["type"]) for m in said[1:]],
                         [(0, "fail"), (1, "retry"), (2, "skip"), (3, "done")])

    def test_batch(self):
        items = [{"key": k, "data": {"text": "T"}, "attempt": 4, "checkpoint": 8, "inputs":
                  {"first": {"n": 2}}} for k in ("fail", "request", "messages", "restored", "skip")]
        outer = {k: REQUEST[k] for k in ("type", "job", "stage", "deadline_ms", "version")}
        for is_exec in (True, False):
            said, _ = self.run_it([{**outer, "id": 9, "items": items}], is_exec)
            said = said if is_exec else said[1:]
            self.assertEqual({m["id"] for m in said}, {9})
            ends = {m["key"]: m for m in said if m["type"] in ("done", "fail", "skip")}
            self.assertEqual({k: m["type"] for k, m in ends.items()},
                             {"fail": "fail", "request": "done", "messages": "done",
                              "restored": "done", "skip": "skip"})
            self.assertEqual(ends["request"]["result"], "j s 4 T2")
            self.assertEqual(ends["restored"]["result"], 8)
            limits = [m for m in said if m["type"] == "limit"]
            self.assertEqual([m.get("key") for m in limits], [None, "host"])

    def test_large_request_and_result(self):
        text = "0123456789" * 60000
        said = self.ask("request", False, data={"text": text})
        self.assertIn(f" {text}-1500", said[0]["result"])


class Concurrent(Library):
    """What can work on several at once."""

    def ends(self, *requests):
        said, _ = self.run_it([{**REQUEST, **r} for r in requests], False)
        return [(m["id"], m["type"]) for m in said[1:]]

    def test_one_that_waits_holds_up_no_other(self):
        ends = self.ends({"id": 1, "key": "waits"}, {"id": 2, "key": "skip"}, {"id": 3, "key": "lets"})
        self.assertEqual((ends[0], sorted(ends[1:])), ((2, "skip"), [(1, "done"), (3, "done")]))

    def test_cancel(self):
        ends = self.ends({"id": 1, "key": "waits"}, {"id": 2, "key": "waits"},
                         {"type": "cancel", "id": 1}, {"type": "cancel", "id": 1},
                         {"type": "cancel", "id": 9}, {"id": 3, "key": "lets"})
        self.assertEqual((ends[0], sorted(ends[1:])), ((1, "retry"), [(2, "done"), (3, "done")]))


class Python(Library, StintTest):
    program, handler, crash = "python3", ("say_all.py",), "ValueError: bad luck"


class PythonAsync(Concurrent, StintTest):
    program, crash = "python3", "ValueError: bad luck"
    handler = ("say_all.py", "async")


class PythonWrapped(Library, StintTest):
    """An async handler behind a plain function, as a decorator makes it."""
    program, handler, crash = "python3", ("say_all.py", "wrapped"), "ValueError: bad luck"


class PythonObject(Concurrent, StintTest):
    """An object whose __call__ is async."""
    program, handler, crash = "python3", ("say_all.py", "object"), "ValueError: bad luck"


class Node(Concurrent, StintTest):
    program, handler, crash = "node", ("say_all.js",), "Error: bad luck"


class Shell(Library, StintTest):
    program, handler, crash = "sh", ("say_all.sh",), "handle failed"

    def test_numbers_as_people_write_them(self):
        self.assertEqual(self.ask("numbers", False),
                         [{"type": "cost", "usd": 0.5}, {"type": "limit", "retry_after": 1.0},
                          {"type": "retry", "why": "HTTP 503", "after": 0.25}])

    def text_given(self):
        return "".join(c for c in TEXT if c in "\n\t" or c >= " ")


class Bash(Shell):
    program = "bash"


class InAPool(StintTest):
    """Each library in each way, as jobs of one pool."""
    HANDLERS = {"py-exec": ("exec", "python3", "say_all.py"), "py": ("resident", "python3", "say_all.py"),
                "py-async": ("resident", "python3", "say_all.py async"),
                "js-exec": ("exec", "node", "say_all.js"), "js": ("resident", "node", "say_all.js"),
                "sh-exec": ("exec", "sh", "say_all.sh"), "sh": ("resident", "sh", "say_all.sh")}
    # status, attempts counted
    ENDS = {"none": ("done", 1), "spawns": ("done", 1), "fail": ("failed", 1), "skip": ("skipped", 1),
            "retry": ("retry_later", 1), "crash": ("retry_later", 1), "snooze": ("retry_later", 0)}

    def setUp(self):
        super().setUp()
        shutil.copytree(HANDLERS, self.path("handlers"))
        for folder, _, names in os.walk(self.path("handlers")):
            for name in [".", *names]:
                os.chmod(os.path.join(folder, name), 0o755)
        self.jobs = [job for job, (_, program, _) in self.HANDLERS.items() if shutil.which(program)]

    def configure(self, **tuning):
        lines = ["[template lib]", f"env.PYTHONPATH = {LIBRARIES}", f"env.NODE_PATH = {LIBRARIES}",
                 f"env.LIB_SH = {LIBRARIES}/stint.sh", "backoff = 1h"]
        for job in self.jobs:
            kind, _, words = self.HANDLERS[job]
            lines += [f"[job {job}]", "use = lib", f"handler = {kind} ./handlers/{words}"]
            if kind == "resident" or "batch" in tuning:
                lines += [f"{key} = {value}" for key, value in tuning.items()]
        self.config("\n".join([*lines, "[job other]", "handler = builtin noop\n"]))

    def check(self):
        for job in self.jobs:
            self.stint("add", job, *self.ENDS)
        pool = self.pool()
        for job in self.jobs:
            for key, (status, attempts) in self.ENDS.items():
                def row(job=job, key=key, status=status):
                    return next((r for r in self.runs(job) if r["key"] == key and
                                 r["status"] == status), None)
                found = wait_until(row, lambda: f"{job} {key}: {self.runs(job)}")
                self.assertEqual(found["attempts"], attempts, f"{job} {key}")
        for job in self.jobs:
            for n in (1, 2):
                self.wait_status(f"{job}-{n}", "other", "done")
        costs = [e["data"] for e in self.events("cost")]
        self.assertEqual(len(costs), len(self.jobs))
        self.assertEqual({(c["cost_usd"], c["tokens"]) for c in costs}, {(0.25, 3)})
        self.assertEqual(pool.stop(), 0)

    def test_one_at_a_time(self):
        self.configure()
        self.check()

    def test_in_batches(self):
        self.configure(batch=5)
        self.check()

    def test_many_at_once(self):
        self.configure(concurrency=4)
        self.check()


class Files(unittest.TestCase):
    def test_each_is_short(self):
        for name in os.listdir(LIBRARIES):
            with open(os.path.join(LIBRARIES, name), encoding="utf-8") as f:
                self.assertLess(len(f.readlines()), 150, name)


if __name__ == "__main__":
    main()
