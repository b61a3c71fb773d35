"""Another program holds the write lock: who waits for it says so, names it, and goes on after it."""
import os
import sqlite3
import subprocess
import unittest

import path  # noqa: F401
from stint_test import BIN, StintTest
from waiting import wait_until

JOB = "[job j]\nhandler = builtin noop\n"


class ForeignLock(StintTest):
    def setUp(self):
        super().setUp()
        self.config(JOB)
        self.stint("add", "j", "k")

    def hold(self):
        db = sqlite3.connect(self.database, isolation_level=None)
        self.addCleanup(db.close)
        db.execute("BEGIN IMMEDIATE")
        return db

    def start(self, *args):
        started = subprocess.Popen([f"{BIN}/stint", *args], cwd=self.dir, text=True,
                                   env=self.environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(started.stderr.close)
        self.addCleanup(started.stdout.close)
        return started

    def test_a_command_names_whom_it_waits_for_and_goes_on(self):
        for words in (["add", "j", "l"], ["pause", "j"], ["cancel", "job:j", "key:k"]):
            holder = self.hold()
            waits = self.start(*words)
            said = waits.stderr.readline()
            self.assertIn(f"(pid {os.getpid()}), which holds the write lock", said)
            self.assertIn("waiting for", said)
            self.assertIn("Ctrl-C is safe", said)
            self.assertIsNone(waits.poll())
            holder.execute("ROLLBACK")
            rest = waits.stderr.read()
            self.assertEqual(waits.wait(60), 0, rest)
            self.assertNotIn("waiting for", rest)
        self.assertEqual(self.value("SELECT count(*) FROM work_items"), 2)

    def test_a_quiet_command_waits_quietly(self):
        holder = self.hold()
        waits, loud = self.start("add", "j", "l", "-q"), self.start("add", "j", "m")
        self.assertIn("waiting for", loud.stderr.readline())
        holder.execute("ROLLBACK")
        self.assertEqual(loud.wait(60), 0)
        self.assertEqual(waits.wait(60), 0)
        self.assertEqual(waits.stderr.read(), "")

    def test_a_file_that_is_no_database_of_ours_yet(self):
        for name in os.listdir(self.dir):
            if name.startswith("stint.db"):
                os.unlink(self.path(name))
        holder = self.hold()
        os.chmod(self.database, 0o600)
        waits = self.start("add", "j", "l")
        self.assertIn(f"(pid {os.getpid()}), which holds the write lock", waits.stderr.readline())
        holder.execute("ROLLBACK")
        self.assertEqual(waits.wait(60), 0)

    def starting(self, holder_pid=os.getpid()):
        """A pool that has seen who keeps it from starting."""
        pool = self.pool(is_ready=False)
        wait_until(lambda: (pool.status() or {}).get("lock_holder", {}).get("pid") == holder_pid,
                   lambda: f"it is named\n{pool.log()}")
        pool.supervisor = pool.status()["pid"]
        return pool

    def test_a_pool_waits_for_it_longer_than_a_command_would(self):
        self.config(JOB, write_timeout="200ms", heartbeat_timeout="1s", heartbeat_interval="100ms")
        holder = self.hold()
        pool = self.starting()
        keeper = pool.keeper()
        self.assertIn(f"(pid {os.getpid()}), which holds", self.stint("status").out)
        wait_until(lambda: "keeper.database" in pool.log(), "the patience of a command is over")
        self.assertEqual(pool.status()["state"], "starting")
        self.assertNotIn("pool.ready", pool.log())
        holder.execute("ROLLBACK")
        pool.wait_ready()
        self.assertEqual(pool.keeper(), keeper)
        self.stint("wait", "j")
        wait_until(lambda: "no longer waits" in pool.log(), "its end is told, too")
        self.assertEqual(pool.stop(), 0)
        said = [line for line in pool.log().splitlines() if "lock.foreign" in line]
        self.assertEqual(len(said), 2, said)
        self.assertIn(f"process {os.getpid()} ", said[0])
        self.assertRegex(said[1], r"no longer waits .* waited \d+ ms")


if __name__ == "__main__":
    unittest.main()
