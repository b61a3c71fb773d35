"""The pool that was started from a file is found by it, also when the file is bad by now, is gone,
or names other places; and no second pool comes to run from the same file."""
import os
import socket
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

    def test_another_database_and_the_same_socket(self):
        self.config(JOB, database="o/s.db", socket="stint.sock")
        said = self.stint("run", code=75).err
        self.assertIn(f"(pid {self.running.supervisor}) with the database {self.database}", said)
        self.stint("stop")
        self.assertEqual(self.running.wait(), 0)

    def test_the_environment_may_choose_another(self):
        second = self.stint("run", "--drain", env={"STINT_POOL_DATABASE": self.path("o/s.db")})
        self.assertTrue(os.path.exists(self.path("o/s.db")), second)


class Packaged(StintTest):
    """Neither the file nor what it names by now leads to where the pool's database lies."""

    def setUp(self):
        super().setUp()
        for name in ("etc", "var", "new"):
            os.mkdir(self.path(name))
        self.conf = self.path("etc/stint.conf")
        self.name_database("var/stint.db")
        self.running = self.start()

    def name_database(self, name):
        self.config(JOB, database=self.path(name))
        os.rename(self.path("stint.conf"), self.conf)

    def start(self, env=None):
        pool = Pool(self.dir, [f"{BIN}/stintd", "-c", self.conf], self.environment(env))
        pool.socket = self.path("var/stint.sock")
        self.pools.append(pool)
        pool.wait_ready()
        return pool

    def say(self, *args, code=0, **more):
        return self.stint("-c", self.conf, *args, code=code, **more)

    def assert_found(self):
        self.assertEqual(self.say("status", "--json").json["pool"]["pid"], self.running.supervisor)
        self.say("add", "j", "k")
        self.say("wait", "j")
        self.assertEqual(os.listdir(self.path("new")), [])

    def assert_stopped(self):
        self.say("stop")
        self.assertEqual(self.running.wait(), 0)

    def test_the_file_names_another_database(self):
        self.name_database("new/stint.db")
        self.assert_found()
        self.assertIn("restart needed", self.say("reload", code=1).err)
        for program, args in (("stint", ["run"]), ("stintd", [])):
            said = self.say(*args, program=program, code=75).err
            self.assertIn(f"a pool of {self.conf} is already running (pid "
                          f"{self.running.supervisor}) with the database "
                          f"{self.path('var/stint.db')}", said)
        self.assertEqual(os.listdir(self.path("new")), [])
        self.assert_stopped()
        self.say("status", "--json")
        self.say("stop", code=3)

    def test_the_file_is_gone(self):
        os.unlink(self.conf)
        self.assert_found()
        self.assert_stopped()
        self.say("stop", code=78)

    def test_the_file_is_broken_where_it_names_the_database(self):
        self.write("etc/stint.conf", "[pool]\ndatabasse = x.db\n" + JOB)
        self.assert_found()
        self.assert_stopped()

    def test_the_same_database_is_left_to_its_lock(self):
        said = self.say("run", code=75).err
        self.assertIn(f"a pool is already running in {self.path('var')}", said)
        self.assert_stopped()

    def test_a_pool_that_was_killed_is_in_nobodys_way(self):
        self.running.kill_all()
        self.running.wait()
        self.name_database("new/stint.db")
        self.say("stop", code=3)
        self.say("run", "--drain")

    def test_the_environment_may_choose_another(self):
        env = {"STINT_POOL_DATABASE": self.path("new/s.db")}
        self.say("stop", code=3, env=env)
        self.say("run", "--drain", env=env)
        self.assertTrue(os.path.exists(self.path("new/s.db")))
        self.assert_stopped()

    def test_a_name_that_another_has_is_taken_when_it_is_free(self):
        self.assert_stopped()
        st = os.stat(self.path("etc"))
        tail = 0xcbf29ce484222325
        for c in b"stint.conf":
            tail = (tail ^ c) * 0x100000001b3 % 2 ** 64
        name = f"stint-{os.getuid()}-{st.st_dev:x}-{st.st_ino:x}-{tail:016x}"
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(b"\0" + name.encode().ljust(107, b"\0"))
            self.running = self.start()
            self.name_database("new/stint.db")
            self.say("stop", code=3)
        wait_until(lambda: self.say("status", "--json").json["pool"].get("pid") ==
                   self.running.supervisor, "found by its name")
        self.assert_stopped()


if __name__ == "__main__":
    unittest.main(verbosity=2)
