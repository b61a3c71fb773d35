"""One pool, one database file: by one name, and the same file as long as the pool lives."""
import os
import shutil
import signal
import sqlite3
import unittest

import path  # noqa: F401
from stint_test import StintTest
from waiting import wait_until

JOB = "[job j]\nhandler = builtin noop\n"


class OneFile(StintTest):
    def setUp(self):
        super().setUp()
        self.config(JOB)
        self.stint("add", "j", "first")


class HardLink(OneFile):
    def setUp(self):
        super().setUp()
        self.other = os.path.join(self.dir, "other.db")
        os.link(self.database, self.other)

    def test_a_second_name_is_refused_by_every_program(self):
        for words in (["add", "j", "k"], ["status"], ["ls"], ["db", "check"],
                      ["db", "backup", "copy.db"], ["cancel", "key:first"]):
            said = self.stint(*words, code=1).err
            self.assertIn("has 2 names (hard links)", said, words)
            self.assertIn(f"find {self.dir} -xdev -samefile {self.database}", said)
        self.assertIn("has 2 names", self.stint("run", "--drain", code=78).err)
        os.unlink(self.other)
        self.stint("run", "--drain")
        self.assertEqual(self.value("SELECT count(*) FROM work_items"), 1)

    def test_doctor_names_it_and_what_to_type(self):
        said = self.stint("doctor", code=1).out
        self.assertIn("has 2 names (hard links)", said)
        self.assertIn(f"find {self.dir} -xdev -samefile {self.database}; then remove", said)


class Lost(OneFile):
    """The pool's file is taken away under it: it ends, says why, and touches nothing."""

    def others(self):
        """Another database's three files, whose log still holds its commits."""
        names = [self.path("foreign.db" + end) for end in ("", "-wal", "-shm")]
        db = sqlite3.connect(names[0])
        self.addCleanup(db.close)
        db.executescript("PRAGMA journal_mode = wal; CREATE TABLE foreigner (x)")
        return names

    def take_away(self):
        for end in ("", "-wal", "-shm"):
            os.rename(self.database + end, self.path("gone.db" + end))

    def contents(self):
        found = {}
        for name in sorted(os.listdir(self.dir)):
            if name.startswith("stint.db"):
                with open(self.path(name), "rb") as f:
                    found[name] = f.read()
        return found

    def assert_ended(self, pool, event):
        self.assertEqual(pool.wait(), 78, pool.log())
        self.assertEqual(pool.log().count(event), 1, pool.log())
        self.assertNotIn("trying again", pool.log())
        self.assertFalse(os.path.exists(self.path("stint.sock")))

    def test_removed(self):
        pool = self.pool()
        for end in ("", "-wal", "-shm"):
            os.unlink(self.database + end)
        self.assert_ended(pool, "database.replaced")
        self.assertIn("was removed while the pool ran", pool.log())
        self.assertEqual(self.contents(), {})

    def test_replaced(self):
        names = self.others()
        pool = self.pool()
        # One that is about to open the database has looked at the path, and opens the new file.
        wait_until(lambda: pool.is_full() and {w["state"] for w in pool.workers()} == {"idle"},
                   "all have it open")
        self.take_away()
        for name, end in zip(names, ("", "-wal", "-shm")):
            shutil.copyfile(name, self.path("new"))
            os.rename(self.path("new"), self.database + end)
        before = self.contents()
        self.assert_ended(pool, "database.replaced")
        self.assertIn("was replaced by another file", pool.log())
        self.assertEqual(self.contents(), before)

    def test_commands_beside_it_create_nothing(self):
        pool = self.pool()
        keeper = pool.keeper()
        os.kill(keeper, signal.SIGSTOP)  # nobody notices
        self.take_away()
        for words in (["add", "j", "second"], ["status"], ["ls"], ["cancel", "key:first"],
                      ["db", "check"]):
            said = self.stint(*words, code=1).err
            self.assertIn(f"the pool (pid {pool.status()['pid']}) has another file open", said)
            self.assertIn("was removed", said)
        self.assertIn("has another file open", self.stint("doctor", code=1).out)
        self.assertEqual(self.contents(), {})
        sqlite3.connect(self.database).close()
        with open(self.database, "wb"):
            pass
        self.assertIn("was replaced", self.stint("add", "j", "second", code=1).err)
        self.assertEqual(self.contents(), {"stint.db": b""})
        os.kill(keeper, signal.SIGCONT)
        self.assert_ended(pool, "database.replaced")

    def test_a_new_keeper_does_not_join_another_file(self):
        self.config(JOB, heartbeat_interval="2s")
        pool = self.pool()
        self.take_away()
        os.kill(pool.keeper(), signal.SIGKILL)
        self.assert_ended(pool, "database.replaced")
        self.assertEqual(self.contents(), {})

    def test_overwritten_in_place(self):
        handler = self.script("wait", self.gate())
        self.config(f"[job j]\nhandler = exec {handler}\nmax_claim = 1\n")
        self.stint("add", "j", *(f"k{i}" for i in range(400)))
        db = sqlite3.connect(self.database)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        pool = self.pool()
        wait_until(lambda: len([w for w in pool.workers() if w["runs"]]) == 2, "both run")
        size = os.path.getsize(self.database)
        with open(self.database, "r+b") as f:
            f.write(b"no database " * (size // 12))
        self.open_gate()
        self.assert_ended(pool, "database.damaged")
        self.assertIn("cp BACKUP", pool.log())


class Moved(StintTest):
    """The directory of the database is moved, and another stands in its place."""

    def setUp(self):
        super().setUp()
        self.home, self.away = self.path("home"), self.path("away")
        os.mkdir(self.home, 0o700)
        self.config(JOB, database=f"{self.home}/stint.db")

    @property
    def database(self):
        return self.path("home", "stint.db")

    def pool_at_home(self):
        pool = self.pool(is_ready=False)
        pool.socket = f"{self.home}/stint.sock"
        pool.wait_ready()
        return pool

    def move(self):
        os.rename(self.home, self.away)
        os.mkdir(self.home, 0o700)

    def test_the_pool_ends_in_order_and_leaves_the_new_place_alone(self):
        self.stint("add", "j", "first")
        pool = self.pool_at_home()
        self.move()
        self.assertEqual(pool.wait(), 78, pool.log())
        self.assertEqual(pool.log().count("database.moved"), 1, pool.log())
        self.assertIn(f"moved to {self.away}", pool.log())
        self.assertEqual(os.listdir(self.home), [])
        os.rmdir(self.home)
        os.rename(self.away, self.home)
        self.assertEqual(self.value("SELECT count(*) FROM pools WHERE retired_at IS NULL"), 0)
        self.stint("run", "--drain")

    def test_a_new_keeper_and_new_workers_do_not_open_the_new_place(self):
        pool = self.pool_at_home()
        old = [*pool.worker_pids(), pool.keeper()]
        os.kill(pool.keeper(), signal.SIGSTOP)
        self.move()
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(pool.wait(), 78, pool.log())
        self.assertIn("database.moved", pool.log())
        self.assertEqual(os.listdir(self.home), [])


if __name__ == "__main__":
    unittest.main()
