"""Starting: one pool a directory, stale files, holders that answer and holders that do not."""
import fcntl
import json
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

import path  # noqa: F401
import control
import procs
from stint_test import BIN, StintTest
from waiting import wait_until


class Start(StintTest):
    def setUp(self):
        super().setUp()
        self.script("hold", self.gate())
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./hold\n")

    def test_two_starts_at_once_one_runs_the_other_says_who(self):
        self.stint("add", "j", "k")
        first = self.pool("--drain")
        started = time.monotonic()
        second = self.stint("run", "--drain", code=75)
        self.assertLess(time.monotonic() - started, 25, "exit 75 at once, not after the wait")
        self.assertIn(str(first.supervisor), second.err)
        self.wait_status("k", "s", "in_progress")
        self.assertEqual(len(self.query("SELECT * FROM pools")), 1)
        self.open_gate()
        self.assertEqual(first.wait(), 0)
        self.assertEqual(self.run_of("k")["interruptions"], 0)

    def test_many_simultaneous_starts(self):
        self.stint("add", "j", "k")
        pools = [self.pool("--drain", is_ready=False) for _ in range(6)]
        wait_until(lambda: sum(p.process.poll() is None for p in pools) == 1, "one is left", 120)
        self.wait_status("k", "s", "in_progress")
        self.open_gate()
        self.assertEqual(sorted(p.wait() for p in pools), [0] + [75] * 5)
        self.assertEqual(self.run_of("k")["status"], "done")

    def test_files_of_a_pool_lie_beside_its_database_and_go_with_it(self):
        pool = self.pool()
        self.assertTrue(os.path.exists(self.path("stint.sock")))
        with open(self.path("stint.pid"), encoding="utf-8") as f:
            self.assertEqual(int(f.read()), pool.supervisor)
        for name in ("stint.db", "stint.sock", "stint.pid"):
            self.assertEqual(os.stat(self.path(name)).st_mode & 0o077, 0, name)
        self.assertEqual(pool.stop(), 0)
        self.assertFalse(os.path.exists(self.path("stint.sock")))
        self.assertFalse(os.path.exists(self.path("stint.pid")))

    def test_stale_socket_and_pid_file(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(self.path("stint.sock"))
        self.write("stint.pid", f"{os.getpid()}\n")
        self.stint("add", "j", "k")
        self.stint("workers", code=3)
        self.open_gate()
        self.stint("run", "--drain")
        self.assertEqual(self.run_of("k")["status"], "done")

    def test_lock_held_by_a_silent_process_is_awaited(self):
        lock = os.open(self.dir, os.O_RDONLY)
        self.addCleanup(os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.stint("add", "j", "k")
        pool = self.pool("--drain", is_ready=False)
        wait_until(lambda: pool.log() or pool.process.poll() is not None, "says for whom it waits")
        self.assertIsNone(pool.process.poll(), pool.log())
        self.assertEqual(self.run_of("k")["status"], "pending")
        fcntl.flock(lock, fcntl.LOCK_UN)
        self.wait_status("k", "s", "in_progress")
        self.open_gate()
        self.assertEqual(pool.wait(), 0, pool.log())

    @unittest.skipUnless(os.environ.get("STINT_SLOW"), "waits the full 30 s")
    def test_lock_held_for_ever_is_75_after_30_s(self):
        lock = os.open(self.dir, os.O_RDONLY)
        self.addCleanup(os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_EX)
        started = time.monotonic()
        self.stint("run", "--drain", code=75)
        self.assertGreater(time.monotonic() - started, 25)

    def test_control_socket_stands_nonsense_and_silence(self):
        pool = self.pool()
        quiet = [socket.socket(socket.AF_UNIX) for _ in range(30)]
        for s in quiet:
            self.addCleanup(s.close)
            s.settimeout(10)
            try:
                s.connect(pool.socket)
            except OSError:
                pass
        for words in ("nonsense", "wake", "wake -5", "wake x", "stop later", "x" * 5000, "\0\1"):
            try:
                with self.assertRaises((control.Refused, control.NoPool), msg=words):
                    control.ask(pool.socket, words)
            except AssertionError:
                if not words.startswith("wake"):
                    raise
        self.assertEqual(control.status(pool.socket)["pid"], pool.supervisor)
        self.assertEqual(json.loads(control.ask(pool.socket, "ping"))["pid"], pool.supervisor)
        self.assertEqual(json.loads(control.ask(pool.socket, "reload"))["state"], "accepted")
        self.assertIsNone(pool.process.poll())

    def test_status_answers_within_a_second_under_work(self):
        self.config("[job j]\nhandler = builtin noop\n", workers=4)
        self.stint("add", "j", *[f"k{n}" for n in range(400)])
        pool = self.pool("--drain", is_ready=False)
        slowest = 0.0
        while pool.process.poll() is None:
            before = time.monotonic()
            if pool.status():
                slowest = max(slowest, time.monotonic() - before)
        self.assertLess(slowest, 1.0)

    def test_stop_command(self):
        self.stint("add", "j", "k")
        pool = self.pool()
        self.wait_status("k", "s", "in_progress")
        stopper = threading.Thread(target=self.stint, args=("stop",))
        stopper.start()
        wait_until(lambda: (pool.status() or {}).get("state") == "stopping", "stopping")
        self.assertEqual(self.run_of("k")["status"], "in_progress")
        self.open_gate()
        self.assertEqual(pool.wait(), 0)
        stopper.join()
        self.assertEqual(self.run_of("k")["status"], "done")

    def test_stop_now(self):
        self.stint("add", "j", "k")
        pool = self.pool()
        self.wait_status("k", "s", "in_progress")
        self.stint("stop", "--now")
        pool.wait()
        row = self.run_of("k")
        self.assertEqual((row["status"], row["attempts"], row["interruptions"]),
                         ("pending", 0, 0))

    def test_run_workers_option(self):
        pool = self.pool("--workers", "5")
        self.assertEqual(len(pool.role_pids("stint-worker")), 5)
        self.assertEqual(pool.stop(), 0)

    def test_supervisor_opens_no_database_and_leaks_nothing(self):
        pool = self.pool()
        for fd in procs.open_fds(pool.supervisor):
            self.assertNotIn("stint.db", fd)
        maps = procs.read(pool.supervisor, "maps").decode()
        self.assertNotIn("libsqlite3", maps)
        baseline = len(procs.open_fds(pool.supervisor))
        for _ in range(10):
            old = set(pool.role_pids("stint-worker"))
            procs.kill(sorted(old)[0], signal.SIGKILL)
            wait_until(lambda old=old: pool.is_full() and
                       set(pool.role_pids("stint-worker")) != old, "refilled")
        wait_until(lambda: len(procs.open_fds(pool.supervisor)) <= baseline, "descriptors back")
        wait_until(lambda: not [p for p in procs.children(pool.supervisor)
                                if procs.state(p) == "Z"], "all are waited for")

    def test_database_of_a_newer_version_is_refused(self):
        self.stint("add", "j", "k")
        self.execute("PRAGMA user_version = 9999")
        changed = self.value("PRAGMA user_version")
        self.assertEqual(changed, 9999)
        done = subprocess.run([f"{BIN}/stint", "run", "--drain"], cwd=self.dir, timeout=120,
                              env=self.environment(), capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.run_of("k")["status"], "pending")


if __name__ == "__main__":
    unittest.main(verbosity=2)
