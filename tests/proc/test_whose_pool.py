"""The pool that was started from a file is found by it, also when the file is bad by now, is gone,
or names other places; and no second pool comes to run from the same file."""
import os
import unittest

import path  # noqa: F401
from pool import Pool
from stint_test import BIN, StintTest
from waiting import wait_until

JOB = "[job j]\nhandler = builtin noop\n"


class Found(StintTest):
    def start(self, *argv, conf="stint.conf", socket="stint.sock"):
        """stintd itself, as an operator or init starts it."""
        pool = Pool(self.dir, [f"{BIN}/stintd", *argv], self.environment())
        pool.socket = self.path(socket)
        self.pools.append(pool)
        pool.wait_ready()
        self.conf = conf
        return pool

    def say(self, *args, code=0):
        return self.stint("-c", self.conf, *args, code=code)

    def break_file(self, line="timeuot = 5s"):
        with open(self.path(self.conf), "a", encoding="utf-8") as f:
            f.write(line + "\n")

    def assert_is_found(self, pool, what="timeuot"):
        """Everything an operator needs then: what is wrong, what runs, and the end of it."""
        found = self.say("status")
        self.assertIn("going by what the running pool accepted", found.err)
        self.assertRegex(found.out, r"(?m)^j ")
        self.assertEqual(len(self.say("workers", "--json").rows), 2)
        self.assertIn(what, self.say("reload", code=1).err)
        answer = self.say("--json", "reload", code=1).json
        self.assertEqual(answer["state"], "refused")
        self.assertIn(what, answer["problems"][0])
        found = self.say("status").out
        self.assertIn("reload refused", found)
        self.assertIn(what, found)
        self.assertRegex(pool.log(), f"event=reload.refused .*{what}")
        self.say("stop")
        self.assertEqual(pool.wait(), 0)

    def test_database_elsewhere(self):
        os.mkdir(self.path("var"))
        os.mkdir(self.path("etc"))
        self.config(JOB, database=self.path("var/stint.db"))
        os.rename(self.path("stint.conf"), self.path("etc/stint.conf"))
        pool = self.start("-c", self.path("etc/stint.conf"), conf="etc/stint.conf",
                          socket="var/stint.sock")
        self.break_file()
        self.assert_is_found(pool)

    def test_bare_stintd(self):
        self.config(JOB)
        pool = self.start()
        self.assertEqual(pool.status()["config"], self.path("stint.conf"))
        self.break_file()
        self.assert_is_found(pool)

    def test_with_a_dot(self):
        self.config(JOB)
        pool = self.start("-c", ".//./stint.conf")
        self.break_file()
        self.assert_is_found(pool)

    def test_link(self):
        self.config(JOB)
        os.rename(self.path("stint.conf"), self.path("real.conf"))
        os.symlink("real.conf", self.path("stint.conf"))
        pool = self.start()
        self.break_file()
        self.conf = "real.conf"
        self.say("status")
        self.conf = "stint.conf"
        self.assert_is_found(pool)

    def test_directory_behind_a_link(self):
        os.mkdir(self.path("one"))
        os.symlink("one", self.path("two"))
        self.config(JOB)
        os.rename(self.path("stint.conf"), self.path("one/stint.conf"))
        pool = self.start("-c", "two/stint.conf", conf="one/stint.conf", socket="one/stint.sock")
        self.break_file()
        self.assert_is_found(pool)

    def test_secret_is_gone(self):
        self.config(JOB + "env.X = @file:key\n")
        self.write("key", "hush\n")
        pool = self.start()
        os.unlink(self.path("key"))
        self.assert_is_found(pool, "env.X")

    def test_file_is_gone(self):
        self.config(JOB)
        pool = self.start()
        os.unlink(self.path("stint.conf"))
        self.assert_is_found(pool, "there is no")

    def test_of_another_file_is_not_taken(self):
        self.config(JOB)
        self.start()
        self.write("other.conf", JOB + "timeuot = 5s\n")
        self.conf = "other.conf"
        for command in ("status", "reload", "stop"):
            self.assertIn("timeuot", self.say(command, code=78).err)


class Moved(StintTest):
    """[pool] names another database or socket than the running pool has."""

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("o"))
        self.config(JOB)
        self.running = Pool(self.dir, [f"{BIN}/stintd"], self.environment())
        self.pools.append(self.running)
        self.running.wait_ready()

    def assert_one_pool(self, key, value):
        self.config(JOB, **{key: value})
        refused = self.stint("reload", code=1).err
        self.assertIn("restart needed", refused)
        self.assertIn(f"[pool] {key}", refused)
        for program, args in (("stint", ["run"]), ("stintd", [])):
            said = self.stint(*args, program=program, code=75).err
            self.assertIn(f"a pool of {self.path('stint.conf')} is already running (pid "
                          f"{self.running.supervisor})", said)
        self.stint("stop")
        self.assertEqual(self.running.wait(), 0)
        wait_until(lambda: not self.alive(), "no process left")
        self.assertFalse(os.path.exists(self.path("o/s.db")))

    def test_another_database(self):
        self.assert_one_pool("database", "o/s.db")

    def test_another_socket(self):
        self.assert_one_pool("socket", "other.sock")

    def test_the_environment_may_choose_another(self):
        second = self.stint("run", "--drain", env={"STINT_POOL_DATABASE": self.path("o/s.db")})
        self.assertTrue(os.path.exists(self.path("o/s.db")), second)


if __name__ == "__main__":
    unittest.main(verbosity=2)
