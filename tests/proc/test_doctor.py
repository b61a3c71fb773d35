"""doctor: what it finds, with its fix; with and without pool, database, configuration."""
import os
import signal
import sqlite3
import subprocess
import time
import unittest

import path  # noqa: F401
import control
import procs
from stint_test import StintTest
from waiting import wait_until

JOB = "[job j]\nhandler = builtin noop\n"


class Doctor(StintTest):
    def look(self, code=0):
        """Findings by subject and state."""
        said = self.stint("doctor", "--json", code=code).json
        self.assertEqual(said["ok"], code == 0)
        return said["findings"]

    def find(self, state, about, part, code):
        """The one finding of this kind whose text has PART; each that is not ok has a fix."""
        all_found = self.look(code)
        for finding in all_found:
            self.assertEqual(finding["fix"] is None, finding["state"] == "ok", finding)
        found = [f for f in all_found
                 if (f["state"], f["about"]) == (state, about) and part in f["text"]]
        self.assertEqual(len(found), 1, all_found)
        return found[0]

    def test_all_is_well(self):
        self.config(JOB)
        self.find("ok", "database", "none yet", 0)
        self.assertFalse(os.path.exists(self.database))
        self.stint("add", "j", "k")
        self.find("ok", "database", "sound", 0)
        self.find("ok", "pool", "none is running", 0)
        self.find("ok", "memory", "will be held by", 0)
        pool = self.pool()
        self.find("ok", "pool", "2 of 2 workers", 0)
        self.find("ok", "memory", "is held by", 0)
        self.assertEqual(self.stint("doctor", "-q").out, "")
        pool.stop()

    def test_without_a_configuration(self):
        self.find("problem", "configuration", "stint init", 1)
        self.write("stint.conf", "[job j]\nhandlre = builtin noop\n")
        found = self.find("problem", "configuration", "handlre", 1)
        self.assertIn("stint.conf:2", found["text"])

    def test_handlers_must_be_there_and_may_run(self):
        self.write("may-not", "#!/bin/sh\n", 0o600)
        self.config("[job a]\nstages = s\n[stage a.s]\nhandler = exec ./none\n"
                    "[job b]\nstages = s\n[stage b.s]\nhandler = exec ./may-not\n")
        found = [f["text"] for f in self.look(1) if f["state"] == "problem"]
        self.assertEqual(len(found), 2, found)
        self.assertIn("does not exist", found[0])
        self.assertIn("chmod +x", found[1])

    def test_permissions(self):
        self.config(JOB)
        self.stint("add", "j", "k")
        os.chmod(self.database, 0o602)
        self.assertIn("chmod o-w", self.find("problem", "database", "by everybody", 1)["fix"])
        os.chmod(self.database, 0o400)
        self.assertIn("chmod u+rw", self.find("problem", "database", "by its owner", 1)["fix"])
        os.chmod(self.database, 0o640)
        self.find("warning", "database", "read by others", 0)
        os.chmod(self.database, 0o600)
        pool = self.pool()
        os.chmod(pool.socket, 0o602)
        self.find("problem", "socket", "by everybody", 1)
        pool.stop()

    def test_what_a_killed_pool_left(self):
        self.config(JOB)
        pool = self.pool()
        killed = pool.kill_all()
        pool.process.wait()
        # by pid: who is on its way out shows no environment, and may still hold the lock
        wait_until(lambda: not any(map(procs.is_alive, killed)), "all are gone")
        self.find("warning", "pool", "left its socket", 0)
        self.find("warning", "pool", "left its pid file", 0)
        self.stint("run", "--drain")
        self.assertEqual({f["state"] for f in self.look()}, {"ok"})

    def test_a_left_over_process_is_named_and_not_touched(self):
        self.config(JOB)
        at = os.stat(self.dir)
        env = self.environment({"STINT_POOL_ID": f"{at.st_dev}-{at.st_ino}-0123456789abcdef"})
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env=env) as left:
            found = self.find("problem", "left-over", f"cat (pid {left.pid})", 1)
            self.assertIn(f"kill {left.pid}", found["fix"])
            self.assertIsNone(left.poll())
            left.stdin.close()
            left.wait()
        pool = self.pool()
        self.assertEqual([f for f in self.look() if f["about"] == "left-over"], [])
        pool.stop()

    def test_a_stopped_pool_is_silent_not_absent(self):
        self.config(JOB)
        pool = self.pool()
        procs.kill(pool.supervisor, signal.SIGSTOP)
        found = self.find("problem", "pool", "does not answer", 1)
        self.assertIn(f"kill {pool.supervisor}", found["fix"])
        procs.kill(pool.supervisor, signal.SIGCONT)
        pool.stop()

    def test_who_holds_the_write_lock(self):
        self.config(JOB)
        self.stint("add", "j", "k")
        db = sqlite3.connect(self.database, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        self.find("warning", "lock", f"(pid {os.getpid()})", 0)
        db.execute("ROLLBACK")
        db.close()
        self.assertEqual([f for f in self.look() if f["about"] == "lock"], [])

    def test_who_keeps_a_pool_waiting(self):
        self.ledger_script("waits", self.gate())
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./waits\n",
                    write_timeout="200ms")
        self.stint("add", "j", "k")
        pool = self.pool()
        wait_until(lambda: self.begun("k"), "runs")
        db = sqlite3.connect(self.database, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        self.find("warning", "lock", f"(pid {os.getpid()})", 0)
        self.open_gate()  # its worker wants to say so now
        wait_until(lambda: control.status(pool.socket).get("lock_holder"), "named")
        self.find("problem", "lock", "the pool has waited", 1)
        db.execute("ROLLBACK")
        db.close()
        wait_until(lambda: "lock_holder" not in control.status(pool.socket), "no longer named")
        pool.stop()

    @unittest.skipIf(sqlite3.sqlite_version_info > (3, 51, 2), "this SQLite has no bug to tell of")
    def test_programs_beside_it_expose_the_database(self):
        self.config(JOB)
        self.stint("add", "j", "k")
        self.find("ok", "sqlite", "mitigated", 0)
        db = sqlite3.connect(self.database, isolation_level=None)
        db.execute("SELECT count(*) FROM jobs").fetchall()
        self.find("warning", "sqlite", f"(pid {os.getpid()})", 0)
        db.execute("INSERT INTO submit (job, item_key) VALUES ('j', 'l')")
        db.close()
        self.find("warning", "sqlite", "plain SQL", 0)

    def test_a_damaged_file(self):
        self.config(JOB)
        self.stint("add", "j", *[f"k{i}" for i in range(200)])
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = os.path.getsize(self.database)
        with open(self.database, "r+b") as f:
            f.seek(4096 * 3)
            f.write(b"\xa5" * (size - 4096 * 4))
        found = [f for f in self.look(1) if f["state"] == "problem"]
        self.assertEqual([f["about"] for f in found], ["database"], found)

    def test_a_clock_that_went_back(self):
        self.config(JOB)
        self.stint("add", "j", "k")
        self.execute("INSERT INTO events (ts, event) VALUES (?, 'run_end')",
                     int((time.time() + 86400) * 1000))
        self.find("warning", "time", "in the future", 0)

    def test_no_advice_to_change_what_is_not_the_pools_own(self):
        os.mkdir(self.path("other"), 0o755)
        self.config(JOB, database=self.path("other"))
        for said in (self.stint("doctor", code=1), self.stint("check", code=None)):
            self.assertNotIn("chmod", said.out + said.err)
        os.rmdir(self.path("other"))
        self.write("other", "root:x:0:0:root:/root:/bin/bash\n" * 40, 0o644)
        self.assertNotIn("chmod", self.stint("doctor", code=1).out)
        self.config("[job j]\nhandler = builtin noop\nenv.X = @file:" + self.path("other") + "\n")
        for said in (self.stint("doctor", code=1), self.stint("check", code=78)):
            self.assertIn("no secret", said.out + said.err)
            self.assertNotIn("chmod", said.out + said.err)

    def test_text_has_a_state_word_and_a_fix(self):
        os.mkdir(self.path("db"))
        os.chmod(self.path("db"), 0o703)
        self.config(JOB, database="db/stint.db")
        said = self.stint("doctor", code=1)
        self.assertRegex(said.out, r"(?m)^problem +directory +.* by everybody$\n +fix: chmod o-w")
        self.assertIn("1 problem, ", said.err)


if __name__ == "__main__":
    unittest.main()
