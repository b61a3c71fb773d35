"""What a reload says beside "accepted" and "refused": what begins later, what cannot be run, how much
more there is than it shows."""
import unittest

import path  # noqa: F401
from stint_test import StintTest
from waiting import wait_until


class Later(StintTest):
    def test_limits_are_those_of_the_next_attempt(self):
        job = "[job j]\nstages = s\n[stage j.s]\nhandler = exec ./h\n"
        self.ledger_script("h", f"{self.gate()}\n[ ! -e second ] || {self.gate('second_gate')}")
        self.config(job, workers=1)
        self.pool()
        self.stint("add", "j", "old")
        wait_until(lambda: self.begun("old"), "runs")
        self.config(job + "timeout = 1ms\ngrace = 1s\nenv.A = b\nmax_attempts = 1\n", workers=1)
        said = self.stint("reload", "-n").out
        for key in ("timeout", "grace", "env.A"):
            self.assertRegex(said, rf"{key}.*\(from the next attempt on\)\n")
        self.assertRegex(said, r"max_attempts: 5 → 1  \(at once, in place\)\n")
        self.assertRegex(self.stint("config", "diff").out, r"timeout.*\(from the next attempt on\)")
        later = {c["key"]: c["from_next_attempt"]
                 for c in self.stint("--json", "reload", "-n").json["changes"]}
        self.assertEqual(later, {"timeout": True, "grace": True, "env.A": True,
                                 "max_attempts": False})
        said = self.stint("reload").err
        self.assertIn("[stage j.s] timeout changed (from the next attempt on)\n", said)
        self.assertIn("[stage j.s] max_attempts changed\n", said)
        self.open_gate()
        self.wait_status("old", "s", "done")
        self.write("second", "")
        self.stint("add", "j", "new")
        self.assertIn("timeout", self.wait_status("new", "s", "exhausted")["error"])


class Refused(StintTest):
    def test_a_file_that_is_empty_or_cut_off(self):
        self.config("[job j]\nhandler = builtin noop\n")
        self.pool()
        for text in ("", "[pool]\nworkers = 2\n"):
            self.write("stint.conf", text)
            self.assertIn("no [job NAME] is left", self.stint("reload", code=1).err)
        self.execute("INSERT INTO submit (job, item_key) VALUES ('j', 'k')")
        wait_until(lambda: self.value("SELECT count(*) FROM item_stages WHERE status = 'done'"),
                   "the job is still there")


class Warned(StintTest):
    def test_a_handler_that_is_not_there(self):
        self.script("there", "echo 1")
        self.config("[job j]\nhandler = exec ./there\n")
        pool = self.pool()
        self.assertEqual(self.stint("--json", "reload").json["warnings"], [])
        self.config("[job j]\nhandler = exec ./nothere\n[job k]\nhandler = exec sh nothere.sh\n")
        wanted = r"stint\.conf:\d+: \[job j\] its handler \./nothere does not exist"
        dry = self.stint("reload", "-n")
        self.assertRegex(dry.err, wanted)
        self.assertIn("Nothing changed yet", dry.out)
        self.assertRegex(self.stint("--json", "reload", "-n").json["warnings"][0], wanted)
        said = self.stint("reload").err
        self.assertRegex(said, wanted)
        self.assertIn(f"script {self.path('nothere.sh')} does not exist", said)
        answer = self.stint("--json", "reload").json
        self.assertEqual((answer["state"], answer["warning_count"]), ("accepted", 2))
        self.assertRegex(answer["warnings"][0], wanted)
        self.assertRegex(pool.log(), rf"level=warn .*event=reload\.warning .*{wanted}")
        self.script("nothere", "echo 1")
        self.script("nothere.sh", "echo 1")
        self.assertNotIn("warning", self.stint("reload").err)


    def test_what_finds_items_is_not_there(self):
        self.write("there.csv", "k\n")
        self.write("in/a.txt", "k\n")
        noop = "handler = builtin noop\n"
        here = f"[job a]\n{noop}discover = list there.csv\n[job b]\n{noop}discover = glob in/*.txt\n"
        self.config(here)
        self.pool()
        self.assertEqual(self.stint("--json", "reload").json["warnings"], [])
        self.config(here + f"[job c]\n{noop}discover = list gone.csv\n[job d]\n{noop}discover = exec "
                    f"./gone\n[job e]\n{noop}discover = glob in/*.zip\n[job f]\n{noop}discover = glob "
                    "gone/**/*.{a,b}\n")
        wanted = [rf"stint\.conf:\d+: \[job c\] its list {self.path('gone.csv')} does not exist",
                  r"stint\.conf:\d+: \[job d\] its program \./gone does not exist",
                  rf"stint\.conf:\d+: \[job e\] warning: no file matches {self.path('in')}/\*\.zip",
                  r"stint\.conf:\d+: \[job f\] warning: no file matches .*/gone/"]
        for answer in (self.stint("--json", "reload", "-n").json, self.stint("--json", "reload").json):
            self.assertEqual((answer["state"], len(answer["warnings"])), ("accepted", 4))
            for found, pattern in zip(answer["warnings"], wanted):
                self.assertRegex(found, pattern)
        self.assertRegex(self.stint("reload").err, wanted[0])


class Many(StintTest):
    """A file with thousands of wrong lines: a few are told, all are counted, nobody waits for it."""

    def test_twenty_thousand_problems(self):
        job = "[job j]\nhandler = builtin noop\n"
        self.config(job)
        pool = self.pool()
        self.assertRegex(self.stint("status").out, r"(?m)^stint .* OK$")
        self.config(job + "timuot = 5s\n" * 20000)
        answer = self.stint("--json", "reload", code=1).json
        self.assertEqual(answer["problem_count"], 20000)
        self.assertLessEqual(len(answer["problems"]), 100)
        self.assertRegex(self.stint("reload", code=1).err, r"and 19,\d{3} more; see: stint check")
        self.assertLess(pool.log().count("timuot"), 400)
        found = self.stint("status")
        self.assertEqual(found.err.count("timuot"), 8)
        self.assertIn("… and 19,992 more; see: stint check", found.err)
        self.assertEqual(found.out.count("timuot"), 8)
        self.assertIn("and 19,992 more", found.out)
        self.assertIn("… and 19900 more problems", self.stint("check", code=78).err)

    def test_the_header_is_not_ok_while_a_reload_stands_refused(self):
        job = "[job j]\nhandler = builtin noop\n"
        self.config(job)
        self.pool()
        self.config(job + "timuot = 5s\n")
        self.stint("reload", code=1)
        header = self.stint("status").out.splitlines()[0]
        self.assertIn("a reload is refused", header)
        self.assertNotIn("OK", header)
        self.config(job)
        self.stint("reload")
        self.assertRegex(self.stint("status").out, r"(?m)^stint .* OK$")

    def test_a_job_that_leaves_says_what_work_it_leaves(self):
        keep = "[job keep]\nhandler = builtin noop\n"
        self.config(keep + "[job old]\nstages = a b\n[stage old.a]\nhandler = builtin noop\n"
                    "[stage old.b]\nhandler = builtin noop\n")
        pool = self.pool()
        self.stint("pause", "old")
        self.stint("add", "old", "k1", "k2")
        self.config(keep)
        wanted = "job old: 4 open stage runs stay and will not run"
        self.assertIn(wanted, self.stint("reload", "-n").out)
        self.assertIn(wanted, self.stint("config", "diff").out)
        said = self.stint("reload").err
        self.assertIn(wanted, said)
        self.assertIn("stint cancel job:old", said)
        self.stint("cancel", "-y", "job:old")
        pool.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
