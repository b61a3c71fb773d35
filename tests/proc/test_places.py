"""Where [pool] puts its files: what cannot be is said by check, and by the start, with file:line."""
import os
import subprocess
import unittest

import path  # noqa: F401
from stint_test import BIN, StintTest

JOB = "[job j]\nhandler = builtin noop\n"
WRONG = (
    ("database", "nodir/x.db", "there is no directory DIR/nodir; type: mkdir -p -m 700 DIR/nodir"),
    ("database", "stint.conf/x.db", "there is no directory DIR/stint.conf; "),
    ("database", "/", "/ is a directory"),
    ("database", "sub", "DIR/sub is a directory"),
    ("socket", "s" * 200, "the name of the socket has 200 bytes; expected at most 80"),
    ("socket", "nodir/x.sock", "there is no directory DIR/nodir"),
    ("pid_file", "nodir/x.pid", "there is no directory DIR/nodir"),
    ("pid_file", "sub", "DIR/sub is a directory"),
    ("log", "file nodir/x.log", "there is no directory DIR/nodir"),
    ("log", "file sub", "DIR/sub is a directory"),
)


class Places(StintTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("sub"), 0o700)

    def test_check_and_start_agree(self):
        for key, value, words in WRONG:
            with self.subTest(key=key, value=value):
                self.write("stint.conf", f"[pool]\n{key} = {value}\n{JOB}")
                wanted = f"stint.conf:2: [pool] {key}: " + words.replace("DIR", self.dir)
                self.assertIn(wanted, self.stint("check", code=78).err)
                start = subprocess.run([f"{BIN}/stintd", "--drain"], cwd=self.dir, timeout=60,
                                       env=self.environment(), capture_output=True, text=True)
                self.assertEqual(start.returncode, 78, start.stderr)
                self.assertIn(wanted, start.stderr)
                # The log of `stint run` is another one.
                if key != "log":
                    self.assertIn(wanted, self.stint("run", "--drain", code=78).err)

    def test_a_variable_is_named(self):
        self.write("stint.conf", JOB)
        said = self.stint("check", code=78, env={"STINT_POOL_PID_FILE": "nodir/x"}).err
        self.assertIn("STINT_POOL_PID_FILE: there is no directory", said)

    def test_what_fits_is_taken(self):
        self.config(JOB, socket="s" * 80, pid_file="sub/p", log="file sub/l", database="sub/d")
        self.stint("check")
        self.stint("run", "--drain")

    def test_a_services_own_directory_may_come(self):
        self.write("stint.conf", f"[pool]\ndatabase = /var/lib/stint-none/x.db\n{JOB}")
        self.assertIn("warning: there is no directory /var/lib/stint-none", self.stint("check").err)

    def test_a_log_without_its_database_is_not_begun_anew(self):
        self.config(JOB)
        pool = self.pool()
        self.stint("add", "j", "k")
        pool.kill_all()
        pool.wait()
        os.rename(self.database, self.path("moved"))
        for words, code in ((("status",), 1), (("ls",), 1), (("add", "j", "l"), 1),
                            (("run", "--drain"), 78)):
            said = self.stint(*words, code=code).err
            self.assertIn("its log", said, words)
            self.assertIn("Put it back beside its log", said, words)
            self.assertFalse(os.path.exists(self.database), words)
        self.assertIn("Put it back", self.stint("doctor", code=1).out)
        os.rename(self.path("moved"), self.database)
        self.stint("run", "--drain")
        self.assertEqual(self.run_of("k")["status"], "done")

    def read_only(self, *words):
        """Runs stint where its directory is mounted for reading only."""
        mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"'
        done = subprocess.run(["unshare", "--mount", "sh", "-c", mount, self.dir,
                               f"{BIN}/stint", *words],
                              cwd="/", env=self.environment(), capture_output=True, text=True,
                              timeout=60, check=False)
        if done.returncode == 1 and "unshare" in done.stderr or "mount:" in done.stderr:
            self.skipTest(done.stderr)
        return done

    def test_a_file_system_for_reading_only_is_named(self):
        self.config(JOB)
        self.stint("add", "j", "k")
        said = self.read_only("add", "j", "more")
        self.assertEqual(said.returncode, 1)
        self.assertIn("is mounted for reading only", said.stderr)
        self.assertIn("mount -o remount,rw", said.stderr)
        said = self.read_only("doctor")
        self.assertEqual(said.returncode, 1)
        self.assertIn("is mounted for reading only", said.stdout)
        self.assertIn("k", self.read_only("ls").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
