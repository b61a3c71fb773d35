"""Another program holds the write lock: who waits for it says so, names it, and goes on after it."""
import os
import sqlite3
import subprocess
import unittest

import path  # noqa: F401
from stint_test import BIN, StintTest

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


if __name__ == "__main__":
    unittest.main()
