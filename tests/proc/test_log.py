"""Where log lines go: standard error, a file that is opened anew on USR1 by every process, syslog."""
import os
import re
import signal
import unittest

import path  # noqa: F401
import procs
from pool import Pool
from stint_test import BIN, StintTest
from waiting import wait_until


def pids_in(text):
    return {int(pid) for pid in re.findall(r" pid=(\d+) ", text)}


class Log(StintTest):
    def setUp(self):
        super().setUp()
        self.file = self.path("stint.log")

    def text(self, name="stint.log"):
        try:
            with open(self.path(name), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def stintd(self, *args, **options):
        self.config("[job j]\nhandler = builtin noop\n", **options)
        pool = Pool(self.dir, [f"{BIN}/stintd", *args], self.environment())
        self.pools.append(pool)
        pool.wait_ready()
        return pool

    def followers(self, pool):
        return [pool.keeper(), *pool.role_pids("stint-worker")]

    def log_of(self, pid):
        """The inode that descriptor 2 of a process is open on."""
        return os.stat(f"/proc/{pid}/fd/2").st_ino

    def test_a_file_instead_of_standard_error(self):
        pool = self.stintd(log="file stint.log")
        self.assertRegex(self.text(), r'event=pool.ready msg="[a-z :]+" workers_min=\d+ '
                                      r'workers_max=\d+ pool_id="?[0-9a-f-]+"?\n')
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o640)
        self.assertEqual(pool.log(), "")
        for pid in self.followers(pool):
            self.assertEqual(self.log_of(pid), os.stat(self.file).st_ino)
        pool.stop()
        self.assertIn("event=pool.stopped", self.text())

    def test_renamed_and_usr1_all_go_on_in_the_new_file(self):
        pool = self.stintd(log="file stint.log")
        before = self.followers(pool)
        self.assertEqual(len(before), 3)
        os.rename(self.file, self.path("stint.log.1"))
        # Nobody knows yet: what is written now belongs to the old one.
        procs.kill(pool.pid, signal.SIGUSR2)
        wait_until(lambda: "event=dump.pool" in self.text("stint.log.1"), "dumped")
        self.assertFalse(os.path.exists(self.file))
        procs.kill(pool.pid, signal.SIGUSR1)
        wait_until(lambda: "event=log.reopened" in self.text(), "opened anew")
        new = os.stat(self.file)
        self.assertEqual(new.st_mode & 0o777, 0o640)
        for pid in before:  # the idle ones, too, so that the old one's space can be freed
            wait_until(lambda pid=pid: self.log_of(pid) == new.st_ino, "followed")
        procs.kill(pool.pid, signal.SIGUSR2)
        wait_until(lambda: "event=dump.child" in self.text(), "dumped anew")
        # Those that are born now, as well.
        procs.kill(before[1])
        wait_until(lambda: set(self.followers(pool)) - set(before), "refilled")
        for pid in self.followers(pool):
            self.assertEqual(self.log_of(pid), new.st_ino)
        pool.stop()
        both = self.text("stint.log.1") + self.text()
        for event in ("pool.starting", "pool.ready", "log.reopened", "pool.stopped"):
            self.assertEqual(both.count(f"event={event} "), 1, event)
        self.assertEqual(self.text("stint.log.1").count("event=dump.pool "), 1)
        self.assertEqual(self.text().count("event=dump.pool "), 1)

    def refuse(self, name, what):
        """From here on the database refuses something, and whoever tries it says so."""
        self.execute(f"CREATE TRIGGER {name} BEFORE {what} BEGIN SELECT RAISE(ABORT, 'no'); END")

    def test_lines_of_keeper_and_workers_are_in_the_new_file(self):
        pool = self.stintd(log="file stint.log")
        self.refuse("for_workers", "UPDATE ON item_stages WHEN NEW.status = 'in_progress'")
        self.stint("add", "j", "k")
        wait_until(lambda: "event=worker.database" in self.text(), "a worker complains")
        os.rename(self.file, self.path("stint.log.1"))
        procs.kill(pool.pid, signal.SIGUSR1)
        wait_until(lambda: "event=log.reopened" in self.text(), "opened anew")
        self.execute("DROP TRIGGER for_workers")
        self.wait_status("k", "j", "done")
        self.refuse("for_workers", "UPDATE ON item_stages WHEN NEW.status = 'in_progress'")
        self.stint("add", "j", "k1")
        wait_until(lambda: "event=worker.database" in self.text(), "a worker, anew")
        self.execute("DROP TRIGGER for_workers")
        self.wait_status("k1", "j", "done")
        self.refuse("for_keeper", "DELETE ON inbox")
        self.execute("INSERT INTO submit (job, item_key) VALUES ('j', 'k2')")
        wait_until(lambda: "event=keeper.database" in self.text(), "the keeper complains")
        self.execute("DROP TRIGGER for_keeper")
        wait_until(lambda: self.statuses("k2").get("j") == "done", "admitted and done")
        self.assertIn(pool.keeper(), pids_in(self.text()))
        pool.stop()

    def test_storm_of_usr1_loses_no_line(self):
        pool = self.stintd(log="file stint.log")
        for n in range(1, 21):
            os.rename(self.file, self.path(f"old.{n}"))
            procs.kill(pool.pid, signal.SIGUSR1)
            wait_until(lambda: "event=log.reopened" in self.text(), f"round {n}")
            procs.kill(pool.pid, signal.SIGUSR2)
            wait_until(lambda: "event=dump.pool" in self.text(), f"dump {n}")
        pool.stop()
        everything = self.text() + "".join(self.text(f"old.{n}") for n in range(1, 21))
        self.assertEqual(everything.count("event=log.reopened "), 20)
        self.assertEqual(everything.count("event=dump.pool "), 20)
        for line in everything.splitlines():
            self.assertRegex(line, r"^ts=\S+ level=\w+ proc=\w+ pid=\d+ ")

    def test_a_file_that_cannot_be_opened_anew(self):
        pool = self.stintd(log="file stint.log")
        os.rename(self.file, self.path("stint.log.1"))
        os.mkdir(self.file)
        procs.kill(pool.pid, signal.SIGUSR1)
        wait_until(lambda: "event=log.failed" in self.text("stint.log.1"), "said so, in the old one")
        os.rmdir(self.file)
        procs.kill(pool.pid, signal.SIGUSR1)
        wait_until(lambda: "event=log.reopened" in self.text(), "opened anew")
        pool.stop()

    def test_log_option_overrides_the_configuration(self):
        os.mkdir(self.path("elsewhere"))
        pool = self.stintd("--log", "file elsewhere/x.log", log="file stint.log")
        self.assertIn("event=pool.ready", self.text("elsewhere/x.log"))
        self.assertFalse(os.path.exists(self.file))
        for pid in self.followers(pool):
            self.assertEqual(self.log_of(pid), os.stat(self.path("elsewhere/x.log")).st_ino)
        pool.stop()

    def test_run_keeps_standard_error(self):
        self.config("[job j]\nhandler = builtin noop\n", log="file stint.log")
        pool = self.pool()
        self.assertIn("event=pool.ready", pool.log())
        self.assertFalse(os.path.exists(self.file))
        pool.stop()

    def test_usr1_without_a_file_is_harmless(self):
        pool = self.stintd()
        procs.kill(pool.pid, signal.SIGUSR1)
        self.stint("add", "j", "k")
        self.wait_status("k", "j", "done")
        self.assertEqual(pool.stop(), 0)

    def test_wrong_targets(self):
        self.config("[job j]\nhandler = builtin noop\n")
        for text in ("", "x", "file", "file ", "stdout", "file:x"):
            self.assertIn("--log takes", self.stint("--log", text, code=2, program="stintd").err)
        result = self.stint("--log", "file not/there", code=78, program="stintd")
        self.assertIn(f"there is no directory {self.path('not')}", result.err)

    def test_failure_of_a_start_is_said_to_whoever_starts_and_in_the_file(self):
        pool = self.stintd(log="file stint.log")
        second = self.stint(code=75, program="stintd")
        self.assertIn("already running", second.err)
        self.assertIn("event=pool.failed", self.text())
        pool.stop()

    def test_log_level_reaches_the_children(self):
        pool = self.stintd("--log-level", "error", log="file stint.log")
        pid = self.followers(pool)[1]
        procs.kill(pid)
        wait_until(lambda: pid not in self.followers(pool), "refilled")
        pool.stop()
        self.assertEqual(self.text(), "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
