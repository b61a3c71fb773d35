"""Handlers that mean harm or are badly broken: each ends with its attempt, and only it pays."""
import os
import unittest

import path  # noqa: F401
import procs
from stint_test import BIN, StintTest
from waiting import wait_until

# Each process makes another, eight times over, in sessions of their own and deaf to TERM: 256.
BOMB = '''#!/usr/bin/env python3
import os, signal
for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(signum, signal.SIG_IGN)
for _ in range(8):
    if os.fork() == 0:
        os.setsid()
open("armed", "a").write(".")
while True:
    signal.pause()
'''
# A chain that is never two processes old: each makes the next and leaves. Ends by itself, too late.
CHAIN = '''#!/usr/bin/env python3
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    for generation in range(300000):
        if os.fork() != 0:
            os._exit(0)
        if generation == 100:
            open("armed", "w").close()
    open("outlived", "w").close()
    os._exit(0)
while True:
    signal.pause()
'''
with open(f"{BIN}/stint-worker", "rb") as program:
    IS_SANITIZED = b"__asan_init" in program.read()


class Abuse(StintTest):
    def one(self, body, limits="", status="done"):
        self.script("handler", body)
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./handler\n"
                    f"grace = 100ms\nbackoff = 0s\n{limits}")
        self.stint("add", "j", "k")
        self.stint("run", "--drain", code=0 if status == "done" else 1)
        row = self.run_of("k")
        self.assertEqual(row["status"], status, row)
        return row

    def of_handlers(self):
        return [p for p in procs.marked(self.mark) if procs.comm(p) in ("python3", "yes", "sh")]

    def cut_short(self, program):
        """Cancels the attempt once it is armed; a good neighbour works on meanwhile."""
        self.write("handler", program, 0o700)
        self.config("[job j]\nhandler = exec ./handler\ngrace = 100ms\ntimeout = 5m\n"
                    "[job good]\nhandler = exec true\n")
        self.pool()
        self.stint("add", "j", "k")
        wait_until(lambda: os.path.exists(self.path("armed")), "armed")
        self.stint("add", "good", *[str(n) for n in range(20)])
        self.stint("wait", "good")
        self.stint("cancel", "-y", "job:j")
        # The worker is free again when nothing of the tree is left.
        wait_until(lambda: not self.of_handlers(), "all ended")
        self.stint("add", "good", *[str(n) for n in range(20, 40)])
        self.stint("wait", "good")
        self.assertEqual(self.run_of("k")["status"], "cancelled")

    def test_fork_bomb(self):
        self.cut_short(BOMB)

    def test_chain_of_forks(self):
        self.cut_short(CHAIN)
        self.assertFalse(os.path.exists(self.path("outlived")))

    def test_all_descriptors_closed(self):
        self.one("exec 0<&- 1>&- 2>&- 3>&-\n: >still-here\nexit 0")
        self.assertTrue(os.path.exists(self.path("still-here")))
        self.assertIsNone(self.result_of("k", "s"))

    def test_writes_to_a_pipe_of_its_own_that_nobody_reads(self):
        """SIGPIPE has its default: yes ends, and the pipeline with it."""
        self.one("yes | head -n 1")
        self.assertEqual(self.result_of("k", "s"), "y")

    def test_a_gigabyte_on_standard_output(self):
        row = self.one("exec head -c 1000000000 /dev/zero", status="failed")
        self.assertIn("output_size", row["error"])

    def test_an_endless_line_of_nuls_on_standard_error(self):
        """Read to its end, whatever it is; nothing of it grows."""
        self.script("handler", "head -c 1000000000 /dev/zero >&2; exit 3")
        self.config("[job j]\nhandler = exec ./handler\nmax_attempts = 1\n"
                    "[job small]\nhandler = exec ./small\n", workers=1)
        self.script("small", "echo small >&2")
        pool = self.pool()
        self.stint("add", "small", *[str(n) for n in range(20)])
        self.stint("wait", "small")
        worker = pool.worker_pids()[0]
        before = self.peak_kib(worker)
        self.stint("add", "j", "k")
        self.stint("wait", "j", code=1)
        self.assertEqual(pool.worker_pids(), [worker])
        if not IS_SANITIZED:
            self.assertLess(self.peak_kib(worker) - before, 16 * 1024)
        tail = self.events("attempt.failed", "k")[0]["data"]["stderr"]
        self.assertEqual(set(tail), {"\ufffd"})

    @staticmethod
    def peak_kib(pid):
        with open(f"/proc/{pid}/status", encoding="utf-8") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmHWM:"))

    def test_messages_that_are_none(self):
        """Half a message, a NUL, an endless line, a flood of good ones with a broken last: said."""
        for key, command, part in (
                ("half", "printf '{\"type\":\"done\"' >&3", "done"),
                ("nul", "printf '{\"type\":\\000\"done\"}\\n' >&3", "NUL"),
                ("line", "head -c 300000000 /dev/zero | tr '\\0' x >&3; exit 0", "1048576"),
                ("text", "echo hello >&3", "hello"),
                ("flood", "yes '{\"type\":\"log\",\"text\":\"x\"}' | head -c 1000010 >&3", "log")):
            with self.subTest(key):
                self.script("handler", command)
                self.config(f"[job {key}]\nhandler = exec ./handler\nmax_attempts = 1\n")
                self.stint("add", key, key)
                self.stint("run", "--drain", code=1)
                row = self.run_of(key)
                self.assertEqual(row["status"], "exhausted", row)
                self.assertIn(part, row["error"])
                self.assertLess(len(row["error"]), 600)

    def test_endless_standard_error_does_not_keep_it_from_its_timeout(self):
        row = self.one("yes >&2", "timeout = 300ms\nmax_attempts = 1\n", status="exhausted")
        self.assertEqual(row["error"], "timeout after 300 ms")

    def test_poison_among_a_thousand(self):
        self.ledger_script("handler", '[ "$STINT_ITEM" != poison ] || kill -SEGV $$')
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./handler\n"
                    "max_attempts = 3\nbackoff = 0s\n", workers=4)
        keys = "".join(f"{n}\n" for n in range(500)) + "poison\n" + "".join(
            f"{n}\n" for n in range(500, 1000))
        self.stint("add", "j", "--from", "-", stdin=keys)
        self.stint("run", "--drain", code=1)
        rows = {r["key"]: r for r in self.runs()}
        self.assertEqual((rows["poison"]["status"], rows["poison"]["attempts"]), ("exhausted", 3))
        del rows["poison"]
        self.assertEqual({(r["status"], r["attempts"]) for r in rows.values()}, {("done", 1)})
        self.assertEqual(len(self.begun()), 1003)

    def test_poison_that_kills_its_worker(self):
        """An operator's kill and a handler's look alike: never a dead letter, but it waits its turn
        longer and longer, and the others go on."""
        self.ledger_script("handler", '[ "$STINT_ITEM" != poison ] || kill -KILL $PPID')
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./handler\n", workers=2)
        self.pool()
        self.stint("add", "j", "poison", *[str(n) for n in range(200)])
        wait_until(lambda: len([r for r in self.runs() if r["status"] == "done"]) == 200, "200 done")
        row = wait_until(lambda: self.run_of("poison")["status"] == "retry_later"
                         and self.run_of("poison"), "poison waits")
        self.assertGreaterEqual(row["interruptions"], 4)
        self.assertEqual(row["attempts"], 0)
        self.stint("cancel", "-y", "job:j")

    def test_it_cannot_reach_the_database_by_its_descriptors(self):
        self.one("ls -l /proc/self/fd | grep -c 'stint\\.db' || true")
        self.assertEqual(self.result_of("k", "s"), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
