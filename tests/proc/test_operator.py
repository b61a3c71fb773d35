"""What an operator does to a running pool beside the commands: files removed, locks held, limits."""
import os
import shutil
import sqlite3
import subprocess
import unittest

import path  # noqa: F401
import control
from stint_test import BIN, StintTest
from waiting import wait_until

MIB = 1 << 20


class Operator(StintTest):
    def test_a_removed_socket_is_there_again(self):
        self.config("[job j]\nhandler = builtin noop\n")
        pool = self.pool()
        before = control.status(pool.socket)["pid"]
        os.unlink(pool.socket)
        wait_until(lambda: os.path.exists(pool.socket) and pool.status(), "it is there again")
        self.assertEqual(control.status(pool.socket)["pid"], before)
        pool.stop()
        self.assertFalse(os.path.exists(pool.socket))

    def test_a_foreign_holder_of_the_write_lock_is_named_and_nobody_dies(self):
        self.ledger_script("waits", self.gate())
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./waits\n", workers=2,
                    write_timeout="200ms")
        self.stint("add", "j", "k")
        pool = self.pool()
        workers = pool.role_pids("stint-worker")
        wait_until(lambda: self.begun("k"), "runs")
        db = sqlite3.connect(self.database, isolation_level=None, timeout=60)
        db.execute("BEGIN IMMEDIATE")
        self.open_gate()
        holder = wait_until(lambda: control.status(pool.socket).get("lock_holder"), "named")
        self.assertEqual(holder["pid"], os.getpid())
        self.assertIn(f"(pid {os.getpid()}), which holds", self.stint("status").out)
        self.assertEqual(self.stint("status", "--json").json["pool"]["lock_holder"]["pid"],
                         os.getpid())
        db.execute("COMMIT")
        db.close()
        self.wait_status("k", "s", "done")
        wait_until(lambda: "lock_holder" not in control.status(pool.socket), "no longer named")
        self.assertEqual(pool.role_pids("stint-worker"), workers)
        pool.stop()

    def hold_lock(self):
        """As somebody's sqlite3 shell does."""
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = builtin noop\n", workers=1,
                    shutdown_timeout="10m")
        self.stint("add", "j", "k")
        db = sqlite3.connect(self.database, isolation_level=None, timeout=60)
        self.addCleanup(db.close)
        db.execute("BEGIN IMMEDIATE")
        return db

    def test_a_pool_begins_when_a_foreign_program_lets_it(self):
        db = self.hold_lock()
        pool = self.pool(is_ready=False)
        wait_until(lambda: (pool.status() or {}).get("lock_holder"), "named")
        self.assertEqual(pool.status()["state"], "starting")
        self.assertIn(f"process {os.getpid()} ", pool.log())
        self.assertNotIn("pool.ready", pool.log())
        db.execute("COMMIT")
        pool.wait_ready()
        wait_until(lambda: "no longer waits" in pool.log(), "its end is told")
        self.assertEqual(pool.log().count("lock.foreign"), 2, pool.log())
        self.wait_status("k", "s", "done")
        self.assertEqual(pool.stop(), 0)
        self.assertNotIn("throttled", pool.log())

    def test_a_pool_that_waits_for_a_foreign_program_can_be_stopped(self):
        db = self.hold_lock()
        pool = self.pool(is_ready=False)
        wait_until(lambda: (pool.status() or {}).get("lock_holder"), "named")
        self.assertEqual(pool.stop(), 0)
        self.assertNotIn("throttled", pool.log())
        db.execute("COMMIT")

    def test_a_short_time_to_stop_lets_a_run_finish_that_can(self):
        self.ledger_script("waits", self.gate())
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./waits\n", workers=1,
                    shutdown_timeout="60s")
        self.stint("add", "j", "k")
        pool = self.pool()
        wait_until(lambda: self.begun("k"), "runs")
        control.ask(pool.socket, "stop")
        wait_until(lambda: control.status(pool.socket)["state"] == "stopping", "stopping")
        self.open_gate()
        pool.wait()
        self.assertEqual(self.run_of("k")["status"], "done")

    def test_a_mistyped_override_is_an_error_that_names_the_nearest(self):
        self.config("[job j]\nhandler = builtin noop\n")
        said = self.stint("check", code=78, env={"STINT_POOL_WRKERS": "3"})
        self.assertIn("workers", said.err)
        self.stint("check", env={"STINT_POOL_ID": "1-2-3"})

    def test_results_of_a_removed_job_can_be_read(self):
        self.config("[job gone]\nhandler = shell echo 7\n[job j]\nhandler = builtin noop\n")
        self.stint("add", "gone", "k")
        self.stint("run", "--drain", timeout=120)
        self.config("[job j]\nhandler = builtin noop\n")
        self.stint("run", "--drain", timeout=120)
        rows = self.stint("results", "gone", "--format", "ndjson").rows
        self.assertEqual([(r["key"], r["result"]) for r in rows], [("k", 7)])
        self.stint("results", "never", code=2)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to be somebody else")
    def test_somebody_else_is_told_so(self):
        self.config("[job j]\nhandler = builtin noop\n")
        pool = self.pool()
        mine = shutil.copy(f"{BIN}/stint", self.path("stint-copy"))
        for name in (self.dir, self.path("stint.conf"), mine):
            os.chmod(name, 0o755)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", mine]
        for words in (["stop"], ["workers"]):
            said = subprocess.run(command + words, cwd=self.dir, capture_output=True, text=True,
                                  timeout=60, check=False)
            self.assertEqual(said.returncode, 1, said)
            self.assertIn("is user 0's, and this is user 65534", said.stderr)
            self.assertIn("does not answer you", said.stderr)
            self.assertNotIn("no pool is running", said.stderr)
        pool.stop()

    def test_results_may_have_exactly_their_size(self):
        self.script("big", 'head -c "$STINT_ITEM" /dev/zero | tr "\\0" x; echo\n')
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./big\n", workers=2)
        for size in (MIB - 1, MIB, MIB + 1):
            self.stint("add", "j", str(size))
        self.stint("run", "--drain", code=1, timeout=120)
        self.assertEqual({k: self.run_of(k)["status"] for k in map(str, (MIB - 1, MIB, MIB + 1))},
                         {str(MIB - 1): "done", str(MIB): "done", str(MIB + 1): "failed"})
        self.assertIn("output_size", self.run_of(str(MIB + 1))["error"])


if __name__ == "__main__":
    unittest.main()
