"""Jobs and stages that left the configuration, or came into it late: counted and spoken of right."""
import unittest

import path  # noqa: F401
from stint_test import StintTest
from waiting import wait_until

KEEP = "[job keep]\nhandler = builtin noop\n"
OLD = "[job old]\nstages = s\n[stage old.s]\nhandler = exec ./sometimes\n"


class Done(StintTest):
    def chain(self, *stages):
        lines = [f"[job j]\nstages = {' '.join(stages)}\n"]
        lines += [f"[stage j.{name}]\nhandler = exec ./{name}\nmax_attempts = 1\n" for name in stages]
        self.config("".join(lines))

    def setUp(self):
        super().setUp()
        for name in "ab":
            self.script(name, "exit 0")
        self.script("c", 'case "$(cat)" in *\'"k1"\'*) exit 1;; esac')

    def done(self):
        said = self.stint("status", "--json").json["jobs"][0]["done_items"]
        derived = self.value("SELECT COUNT(*) FROM item_derived_status"
                             " WHERE derived_status = 'done'")
        self.assertEqual(said, derived)
        return said

    def test_a_new_stage_in_the_middle_is_still_to_do(self):
        self.chain("a", "b")
        self.stint("add", "j", "k1", "k2", "k3")
        self.stint("run", "--drain")
        self.assertEqual(self.done(), 3)
        self.chain("a", "c", "b")
        self.stint("pause", "j")
        self.assertEqual(self.done(), 0)
        self.stint("resume", "j")
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.done(), 2)

    def test_items_added_after_a_stage_was_removed_are_done_without_it(self):
        self.chain("a", "b")
        self.stint("add", "j", "k2", "k3")
        self.stint("run", "--drain")
        self.chain("a")
        self.stint("add", "j", "k4")
        self.stint("run", "--drain")
        self.assertEqual(self.done(), 3)


class Gone(StintTest):
    """Of the 3 items of old one is done when the job is removed."""

    def setUp(self):
        super().setUp()
        self.script("sometimes", 'case "$(cat)" in *\'"k1"\'*) exit 0;; *) exit 75;; esac')
        self.config(KEEP + OLD)
        self.stint("add", "old", "k1", "k2", "k3")
        pool = self.pool()
        wait_until(lambda: sorted(r["status"] for r in self.runs("old")) ==
                   ["done", "retry_later", "retry_later"], lambda: str(self.runs()))
        pool.stop()

    def test_what_it_did_stays_counted(self):
        self.config(KEEP)
        job = self.stint("status", "--json").json["jobs"][1]
        self.assertEqual((job["name"], job["configured"], job["done_items"]), ("old", False, 1))
        self.assertRegex(self.stint("run", "--drain").err, r"(?m)^old: 1 done")

    def test_work_that_lies_in_it_is_named(self):
        self.config(KEEP)
        for said in (self.stint("run", "--drain").err, self.stint("wait").err):
            self.assertIn("2 open stage runs are not counted", said)
            self.assertIn("old (2)", said)
            self.assertIn("stint cancel 'job:old'", said)
        self.stint("cancel", "-y", "job:old")
        self.assertNotIn("not counted", self.stint("wait").err)

    def test_commands_say_that_it_is_gone(self):
        self.config(KEEP)
        for words in (("resume", "old"), ("pause", "old.s"), ("pause", "-n", "old"),
                      ("wait", "old"), ("add", "old", "x"), ("discover", "old")):
            said = self.stint(*words, code=2).err
            self.assertIn("job old is no longer in the configuration", said)
            self.assertIn("stint.conf", said)
        self.assertIn('no job "odl"', self.stint("wait", "odl", code=2).err)

    def test_status_says_so_of_a_paused_one(self):
        self.stint("pause", "old")
        self.config(KEEP)
        self.assertRegex(self.stint("status").out,
                         r"(?m)^old .*not in the configuration; paused$")

    def test_show_says_it_once(self):
        self.config(KEEP)
        self.stint("add", "keep", "x")
        said = self.stint("show", "old", "k1").out
        self.assertRegex(said, r"(?m)^s +done .* ago +not in the configuration any more$")
        self.config(KEEP + OLD.replace("stages = s", "stages = s t") +
                    "[stage old.t]\nhandler = builtin noop\n")
        self.stint("pause", "old")
        self.stint("add", "old", "k4")
        self.config(KEEP + OLD)
        self.stint("add", "keep", "k")
        said = self.stint("show", "old", "k4").out
        self.assertEqual(said.count("not in the configuration"), 1, said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
