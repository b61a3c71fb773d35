"""Whose the database is: root's commands in another user's directory, and what is typed to mend it."""
import os
import pwd
import shutil
import subprocess
import unittest

import path  # noqa: F401
from stint_test import BIN, StintTest

FILES = ("stint.db", "stint.db-wal", "stint.db-shm")


@unittest.skipUnless(os.geteuid() == 0, "needs root to be somebody else")
class Owner(StintTest):
    def setUp(self):
        super().setUp()
        self.nobody = pwd.getpwnam("nobody")
        # Where this tree lies may be closed to others: the programs come along.
        os.chmod(self.dir, 0o755)
        os.mkdir(self.path("bin"))
        for name in ("stint", "stintd", "stint-keeper", "stint-worker"):
            shutil.copy(f"{BIN}/{name}", self.path("bin"))
        self.write("d/stint.conf", "[pool]\nworkers = 1\n[job j]\nhandler = builtin noop\n", 0o644)
        self.give("d", "d/stint.conf")

    @property
    def ids(self):
        return f"{self.nobody.pw_uid}:{self.nobody.pw_gid}"

    @property
    def database(self):
        return self.path("d/stint.db")

    def give(self, *names):
        for name in names:
            os.chown(self.path(name), self.nobody.pw_uid, self.nobody.pw_gid)

    def keep(self, *names):
        for name in names:
            os.chown(self.path("d", name), 0, 0)

    def run_as(self, user, program, *args, code=0):
        done = subprocess.run([self.path("bin", program), *args], cwd=self.path("d"), text=True,
                              env=self.environment({"TMPDIR": "/"}), capture_output=True,
                              check=False, timeout=120, user=user)
        self.logs.append((program, done.stderr))
        if code is not None:
            self.assertEqual(done.returncode, code, done)
        return done

    def owners(self):
        return {os.stat(self.path("d", name)).st_uid for name in os.listdir(self.path("d"))}

    def test_a_secret_of_somebody_else_says_whom_to_be(self):
        self.write("d/key", "s3cret\n", 0o600)
        self.write("d/stint.conf", "[job j]\nhandler = builtin noop\nenv.KEY = @file:key\n", 0o644)
        said = self.run_as("nobody", "stint", "status", code=None).stderr
        self.assertRegex(said, r"stint\.conf:3: env\.KEY: .*/key may not be read by user \d+; "
                         r".*sudo -u USER")

    def test_what_root_adds_first_is_the_directory_owners(self):
        said = self.run_as("root", "stint", "add", "j", "k")
        self.assertIn(f"made {self.database} for user {self.nobody.pw_uid},", said.stderr)
        self.assertEqual(self.owners(), {self.nobody.pw_uid})
        self.assertEqual(os.stat(self.database).st_mode & 0o777, 0o600)
        self.run_as("root", "stintd", "--user", "nobody", "--drain")
        self.run_as("nobody", "stint", "add", "j", "l")
        self.run_as("nobody", "stint", "doctor")
        self.assertEqual(self.value("SELECT count(*) FROM item_stages WHERE status = 'done'"), 1)

    def test_a_pool_of_root_leaves_a_database_of_the_directorys_owner(self):
        said = self.run_as("root", "stintd", "--drain", "--log", "stderr")
        self.assertIn("database.given", said.stderr)
        self.assertEqual(self.owners(), {self.nobody.pw_uid})
        self.assertNotIn("made", self.run_as("root", "stint", "add", "j", "k").stderr)
        self.assertEqual(self.owners(), {self.nobody.pw_uid})

    def test_roots_own_directory_and_a_planted_link(self):
        os.chown(self.path("d"), 0, 0)
        self.assertNotIn("made", self.run_as("root", "stint", "add", "j", "k").stderr)
        self.assertEqual(os.stat(self.database).st_uid, 0)
        for name in FILES:
            if os.path.exists(self.path("d", name)):
                os.unlink(self.path("d", name))
        self.give("d")
        os.symlink(self.path("victim"), self.database)
        self.run_as("root", "stint", "add", "j", "k", code=1)
        self.assertFalse(os.path.exists(self.path("victim")))

    def test_a_database_that_root_kept_is_found_and_the_fix_works(self):
        self.run_as("root", "stint", "add", "j", "k")
        there = [name for name in FILES if os.path.exists(self.path("d", name))]
        self.assertIn("stint.db", there)
        self.keep(*there)
        fix = f"chown -h {self.ids} " + " ".join(self.path("d", name) for name in there)
        for said in (self.run_as("nobody", "stint", "add", "j", "l", code=1).stderr,
                     self.run_as("root", "stintd", "--user", "nobody", "--drain", code=78).stderr,
                     self.run_as("root", "stint", "doctor", code=1).stdout,
                     self.run_as("nobody", "stint", "doctor", code=1).stdout):
            self.assertIn(fix, said)
            self.assertNotIn("sudo -u", said)
        subprocess.run(fix, shell=True, check=True)
        self.run_as("nobody", "stint", "doctor")
        self.run_as("root", "stintd", "--user", "nobody", "--drain")

    def test_a_directory_that_is_not_the_users(self):
        os.chown(self.path("d"), 0, 0)
        os.chmod(self.path("d"), 0o755)
        said = self.run_as("nobody", "stint", "add", "j", "k", code=1).stderr
        self.assertIn(f"as root: chown {self.nobody.pw_uid} {self.path('d')}", said)
        self.run_as("root", "stint", "add", "j", "k")
        self.give(*[f"d/{name}" for name in FILES if os.path.exists(self.path("d", name))])
        said = self.run_as("nobody", "stint", "add", "j", "k", code=1).stderr
        self.assertIn(f"as root: chown {self.nobody.pw_uid} {self.path('d')}", said)

    def test_what_may_not_be_written_is_not_damaged(self):
        self.run_as("nobody", "stint", "add", "j", "k")
        self.run_as("nobody", "stintd", "--drain")
        for name, mode, fix in (("d", 0o555, f"chmod u+wx {self.path('d')}"),
                                ("d/stint.db", 0, f"chmod u+rw {self.database}")):
            before = os.stat(self.path(name)).st_mode & 0o777
            os.chmod(self.path(name), mode)
            for words in (["db", "check"], ["status"], ["add", "j", "l"], ["ls"]):
                with self.subTest(name=name, words=words):
                    said = self.run_as("nobody", "stint", *words, code=1).stderr
                    self.assertIn(fix, said)
                    self.assertNotIn("cp BACKUP", said)
            self.assertIn(fix, self.run_as("nobody", "stint", "doctor", code=1).stdout)
            os.chmod(self.path(name), before)
        said = self.run_as("daemon", "stint", "doctor", code=1).stdout
        self.assertIn("sudo -u", said)
        self.assertNotIn("db check", said)

    def test_another_users_database_is_worked_on_as_that_user(self):
        self.run_as("nobody", "stint", "add", "j", "k")
        said = self.run_as("daemon", "stint", "add", "j", "l", code=1).stderr
        self.assertIn(f"sudo -u '#{self.nobody.pw_uid}'", said)


if __name__ == "__main__":
    unittest.main()
