"""db check and db backup: beside a pool that writes, over bad places, on a broken file."""
import json
import os
import resource
import signal
import sqlite3
import subprocess
import unittest

import path  # noqa: F401
from stint_test import BIN, StintTest
from waiting import wait_until

JOB = "[job j]\nhandler = builtin noop\n"


class Database(StintTest):
    def fill(self, count=500):
        self.config(JOB)
        self.write("keys", "".join(f"k{i}\n" for i in range(count)))
        self.stint("add", "j", "--from", "keys", "--format", "text")

    def names(self):
        """What lies in the backup's directory."""
        return sorted(os.listdir(self.path("b")))

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("b"))

    def test_a_backup_beside_a_writing_pool_is_one_state_of_it(self):
        self.fill()
        pool = self.pool()
        for i in range(5):
            said = self.stint("db", "backup", f"b/{i}.db", "--json").json
            self.assertEqual(said["bytes"], os.path.getsize(self.path("b", f"{i}.db")))
            self.stint("add", "j", *[f"{i}-{n}" for n in range(50)])
        pool.stop()
        self.assertEqual(self.names(), [f"{i}.db" for i in range(5)])
        for i in range(5):
            name = self.path("b", f"{i}.db")
            self.assertEqual(os.stat(name).st_mode & 0o777, 0o600)
            db = sqlite3.connect(name)
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            items = db.execute("SELECT count(*) FROM work_items").fetchone()[0]
            self.assertEqual(items, 500 + 50 * i)
            db.close()

    def test_a_pool_goes_on_from_a_backup(self):
        self.fill(5)
        self.stint("db", "backup", "b/copy.db")
        self.stint("run", "--drain")
        other = {"STINT_POOL_DATABASE": self.path("b", "copy.db")}
        self.assertEqual(self.stint("status", "--json", env=other).json["jobs"][0]["counts"]["pending"],
                         5)
        self.stint("run", "--drain", env=other)
        self.assertEqual(self.stint("db", "check", "--json", env=other).json["problems"], [])

    def test_what_exists_is_replaced_only_when_told(self):
        self.fill(1)
        self.write("b/old.db", "precious")
        self.assertIn("--force", self.stint("db", "backup", "b/old.db", code=1).err)
        with open(self.path("b", "old.db"), encoding="utf-8") as f:
            self.assertEqual(f.read(), "precious")
        self.assertIn("is no database", self.stint("db", "backup", "-f", "b/old.db", code=1).err)
        with open(self.path("b", "old.db"), encoding="utf-8") as f:
            self.assertEqual(f.read(), "precious")
        self.write("b/old.db", "")
        self.stint("db", "backup", "-f", "b/old.db")
        self.stint("db", "backup", "-f", "b/old.db")
        self.assertEqual(self.names(), ["old.db"])
        self.assertIn("is sound", self.stint(
            "db", "check", env={"STINT_POOL_DATABASE": self.path("b", "old.db")}).out)

    def test_no_part_of_the_database_is_replaced(self):
        self.fill(300)
        pool = self.pool()
        os.link(self.path("stint.db-wal"), self.path("b", "link.db"))
        for words in (["stint.db-wal"], ["stint.db-shm"], ["stint.db-journal"], ["stint.pid"],
                      ["stint.conf"], ["b/link.db"], ["b/x.db-wal"]):
            self.stint("db", "backup", "-f", *words, code=1)
        pool.stop()
        os.unlink(self.path("b", "link.db"))
        self.assertEqual(self.names(), [])
        self.assertEqual(self.value("SELECT count(*) FROM work_items"), 300)
        self.assertIn("is sound", self.stint("db", "check").out)

    def test_wrong_places_are_named(self):
        self.fill(1)
        self.write("b/used.db", "x")
        self.write("b/used.db-wal", "x")
        os.symlink("nowhere", self.path("b", "link"))
        for words, part in (
                (["b"], "is a directory"), (["b/none/x.db"], "b/none"),
                (["stint.db", "-f"], "is the database itself"), (["b/link", "-f"], "no regular file"),
                (["b/used.db", "-f"], "in use"), ([""], "empty"), (["/dev/null", "-f"], "regular")):
            self.assertIn(part, self.stint("db", "backup", *words, code=1).err)
        self.assertEqual(self.names(), ["link", "used.db", "used.db-wal"])

    def test_a_backup_that_is_ended_leaves_nothing(self):
        self.fill(20000)
        argv = [f"{BIN}/stint", "db", "backup", "b/x.db"]
        with subprocess.Popen(argv, cwd=self.dir, env=self.environment(), text=True,
                              stderr=subprocess.PIPE) as backing:
            wait_until(self.names, "the copy has begun")
            backing.send_signal(signal.SIGINT)
            self.assertIn("no backup was made", backing.stderr.read())
            self.assertEqual(backing.wait(60), 1)
        self.assertEqual(self.names(), [])

    def test_what_a_killed_backup_left_goes_with_the_next(self):
        self.fill(20000)
        argv = [f"{BIN}/stint", "db", "backup", "b/x.db"]
        with subprocess.Popen(argv, cwd=self.dir, env=self.environment(), text=True,
                              stderr=subprocess.PIPE) as living:
            wait_until(self.names, "the copy has begun")
            living.send_signal(signal.SIGSTOP)
            alive = self.names()
            with subprocess.Popen(argv, cwd=self.dir, env=self.environment(), text=True,
                                  stderr=subprocess.PIPE) as killed:
                wait_until(lambda: set(self.names()) - set(alive), "a second one, too")
                killed.kill()
                killed.wait(60)
            dead = set(self.names()) - set(alive)
            for name in ("x.db.partial-notours", "x.db.backup", "y.db.partial-ABCDEF"):
                self.write(f"b/{name}", "mine")
            self.stint("db", "backup", "b/x.db")
            left = set(self.names())
            self.assertFalse(left & dead, left)
            self.assertEqual(left - {"x.db"} - set(alive),
                             {"x.db.partial-notours", "x.db.backup", "y.db.partial-ABCDEF"})
            living.send_signal(signal.SIGINT)
            living.send_signal(signal.SIGCONT)
            living.wait(60)

    def test_a_limit_of_file_sizes_is_an_error_that_is_told(self):
        self.fill(2000)
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        done = subprocess.run([f"{BIN}/stint", "db", "backup", "b/x.db"], cwd=self.dir, text=True,
                              env=self.environment(), capture_output=True, check=False, timeout=60,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                                    (1 << 16, 1 << 16)))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("File too large", done.stderr)
        self.assertIn("ulimit -f", done.stderr)
        self.assertEqual(self.names(), [])

    def parts(self):
        return sorted(name for name in os.listdir(self.dir) if name.startswith("stint.db"))

    def test_a_pool_that_ends_in_order_leaves_one_file(self):
        self.fill(50)
        pool = self.pool()
        self.stint("wait", "j")
        self.assertEqual(pool.stop(), 0)
        self.assertEqual(self.parts(), ["stint.db"], pool.log())
        self.stint("add", "j", "one-more")
        self.stint("--drain", program="stintd")  # nobody but the keeper
        self.assertEqual(self.parts(), ["stint.db"])
        self.assertIn("is sound", self.stint("db", "check").out)
        self.assertEqual(self.value("SELECT count(*) FROM item_stages WHERE status = 'done'"), 51)

    def test_a_log_that_somebody_has_open_stays(self):
        self.fill(50)
        pool = self.pool()
        db = sqlite3.connect(self.database, isolation_level=None)
        db.execute("BEGIN")
        before = db.execute("SELECT count(*) FROM item_stages WHERE status = 'done'").fetchone()
        self.stint("wait", "j")
        self.assertEqual(pool.stop(), 0)
        self.assertEqual(self.parts(), ["stint.db", "stint.db-shm", "stint.db-wal"])
        self.assertEqual(before, db.execute(
            "SELECT count(*) FROM item_stages WHERE status = 'done'").fetchone())
        db.close()
        self.assertEqual(self.value("SELECT count(*) FROM item_stages WHERE status = 'done'"), 50)

    def limited(self, *argv, size=1 << 16):
        return subprocess.run([f"{BIN}/{argv[0]}", *argv[1:]], cwd=self.dir, text=True,
                              env=self.environment(), capture_output=True, check=False, timeout=120,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                                    (size, size)))

    def test_a_command_that_may_not_write_so_much_says_so(self):
        self.fill(20)
        self.write("more", "".join(json.dumps({"key": f"n{i}", "data": "x" * 5000}) + "\n"
                                   for i in range(500)))
        done = self.limited("stint", "add", "j", "--from", "more", "--format", "jsonl")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("ulimit -f", done.stderr)
        self.assertIn("is sound", self.stint("db", "check").out)

    def test_a_pool_outlives_a_log_that_may_not_grow(self):
        size = 64 << 20
        self.config(JOB, log="file pool.log")
        os.truncate(self.write("pool.log", ""), size)
        self.stint("add", "j", "k")
        done = self.limited("stintd", "--drain", size=size)
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(os.path.getsize(self.path("pool.log")), size)
        self.assertEqual(self.run_of("k")["status"], "done")

    def test_a_broken_file_is_found_out_and_no_backup_is_made_of_it(self):
        self.fill()
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with open(self.database, "r+b") as f:
            f.seek(4096 * 3)
            size = os.path.getsize(self.database)
            f.write(b"\xa5" * (size - 4096 * 4))
        said = self.stint("db", "check", code=1)
        self.assertIn("cp -p", said.err)
        self.assertGreater(len(self.stint("db", "check", "--json", code=1).json["problems"]), 0)
        self.stint("db", "backup", "b/x.db", code=1)
        self.assertEqual(self.names(), [])

    def test_a_first_page_that_was_written_over_is_no_beginning(self):
        self.fill()
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        new = self.path("new.db")
        db = sqlite3.connect(new)
        db.execute("PRAGMA journal_mode = wal")
        db.close()
        with open(new, "rb") as f:
            page = f.read()
        with open(self.database, "r+b") as f:
            f.write(page)
        for name in ("stint.db-wal", "stint.db-shm"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        with open(self.database, "rb") as f:
            before = f.read()
        for words, code in ((["status"], 1), (["ls"], 1), (["add", "j", "k"], 1),
                            (["run", "--drain"], 78), (["db", "check"], 1),
                            (["db", "backup", "b/x.db"], 1)):
            with self.subTest(words=words):
                said = self.stint(*words, code=code).err
                self.assertIn("is damaged: it holds", said)
                self.assertIn("cp BACKUP", said)
        with open(self.database, "rb") as f:
            self.assertEqual(f.read(), before)

    def test_our_own_asserts_are_part_of_it(self):
        self.fill(3)
        self.execute("UPDATE stage_counts SET pending = pending + 1")
        self.assertIn("stage_counts", self.stint("db", "check", code=1).out)

    def test_without_a_database(self):
        self.config(JOB)
        for words in (["check"], ["backup", "b/x.db"]):
            self.assertIn("no database yet", self.stint("db", *words, code=1).err)
        self.assertFalse(os.path.exists(self.database))


if __name__ == "__main__":
    unittest.main()
