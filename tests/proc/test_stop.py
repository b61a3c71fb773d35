"""stint stop: it finds a pool whose socket is not there, and has ended only with the last of it."""
import os
import signal
import unittest

import path  # noqa: F401
import procs
from pool import Pool
from stint_test import BIN, StintTest
from waiting import wait_until

JOB = "[job j]\nhandler = builtin noop\n"
PARTS = ("stint.db-wal", "stint.db-shm")


class WithoutSocket(StintTest):
    """The supervisor makes its socket again; meanwhile there is its name."""

    def setUp(self):
        super().setUp()
        self.config(JOB)
        self.running = self.pool()

    def without_socket(self, *args, code=0):
        """Again and again, since it may be there again at any moment."""
        if os.path.exists(self.path("stint.sock")):
            os.unlink(self.path("stint.sock"))
        return self.stint(*args, code=code)

    def test_stop(self):
        self.assertIn("stopped", self.without_socket("stop").err)
        self.assertEqual(self.running.wait(), 0)

    def test_stop_now(self):
        self.assertIn("stopped", self.without_socket("stop", "--now").err)
        self.assertEqual(self.running.wait(), 0)

    def test_all_that_ask(self):
        self.assertEqual(len(self.without_socket("workers", "--json").rows), 2)
        self.assertEqual(self.without_socket("--json", "reload").json["state"], "accepted")
        self.assertIn("nothing is paced", self.without_socket("resources").err)
        self.without_socket("reload", "-n")
        self.without_socket("status")

    def test_no_way_in(self):
        """A pool that was told its places by the environment has no name."""
        self.stint("stop")
        env = {"STINT_POOL_DATABASE": self.path("stint.db")}
        pool = Pool(self.dir, [f"{BIN}/stintd"], self.environment(env))
        self.pools.append(pool)
        pool.wait_ready()
        procs.kill(pool.supervisor, signal.SIGSTOP)
        os.unlink(self.path("stint.sock"))
        for command in ("stop", "workers"):
            said = self.stint(command, code=1).err
            self.assertIn(f"kill -TERM {pool.supervisor}", said)
        procs.kill(pool.supervisor, signal.SIGCONT)
        procs.kill(pool.supervisor, signal.SIGTERM)
        self.assertEqual(pool.wait(), 0)


class Front(StintTest):
    """stint run looks at the database once more when its pool has ended."""

    def setUp(self):
        super().setUp()
        self.config(JOB)
        self.stint("add", "j", "a", "b")
        self.running = self.pool()

    def test_stop_waits_for_it(self):
        self.stint("wait", "j")
        procs.kill(self.running.pid, signal.SIGSTOP)
        wait_until(lambda: procs.state(self.running.pid) == "T", "held")
        self.stint("stop")
        self.assertIsNotNone(self.running.process.poll(), "it has ended before stop has")
        for name in PARTS:
            self.assertFalse(os.path.exists(self.path(name)), name)

    def test_it_makes_no_database(self):
        self.stint("wait", "j")
        procs.kill(self.running.pid, signal.SIGSTOP)
        procs.kill(self.running.supervisor, signal.SIGTERM)
        wait_until(lambda: not procs.is_alive(self.running.supervisor), "the pool has ended")
        with open(self.database, "w", encoding="utf-8"):
            pass  # as cp has it at first
        procs.kill(self.running.pid, signal.SIGCONT)
        self.assertEqual(self.running.wait(), 0)
        self.assertEqual(os.path.getsize(self.database), 0)


if __name__ == "__main__":
    unittest.main()
