"""What a failed attempt leaves behind: the ends of its output, the certificate of its process."""
import unittest

import path  # noqa: F401
from stint_test import StintTest


class Output(StintTest):
    def fail_once(self, body, limits=""):
        self.script("handler", body)
        self.config(f"[job j]\nstages = s\n[stage j.s]\nhandler = exec ./handler\n"
                    f"max_attempts = 2\nbackoff = 0s\n{limits}")
        self.stint("add", "j", "k")
        self.stint("run", "--drain", code=1)
        return [event["data"] for event in self.events("attempt.failed", "k")]

    def test_both_tails_and_the_certificate_of_each_attempt(self):
        first, second = self.fail_once('echo "out $STINT_ATTEMPT"; echo "err $STINT_ATTEMPT" >&2\n'
                                       '[ "$STINT_ATTEMPT" = 1 ] || kill -SEGV $$\nexit 3')
        self.assertEqual((first["stdout"], first["stderr"]), ("out 1\n", "err 1\n"))
        self.assertEqual((second["stdout"], second["stderr"]), ("out 2\n", "err 2\n"))
        self.assertEqual(first["handler"]["exit"], 3)
        self.assertEqual(second["handler"]["signal"], 11)
        for data in (first, second):
            self.assertGreater(data["handler"]["max_rss_kib"], 100)
            self.assertGreater(data["handler"]["pid"], 1)
            self.assertNotIn("oom", data["handler"])
        shown = self.stint("show", "j", "k").out
        self.assertIn("handler of s, attempt 1, pid", shown)
        self.assertIn("exit 3; used", shown)
        self.assertIn("signal 11 (SIGSEGV); used", shown)
        self.assertIn("standard error of s, attempt 2:\n    err 2\n", shown)
        self.assertIn("standard output of s, attempt 2:\n    out 2\n", shown)

    def test_the_processor_time_of_its_children_is_its_own(self):
        data = self.fail_once("(i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done)\nexit 1")[0]
        self.assertGreater(data["handler"]["user_s"], 0)

    def test_only_the_end_is_kept(self):
        data = self.fail_once("seq 1 5000; seq 1 5000 >&2; exit 1", "stderr_tail = 1K\n")[0]
        for stream in ("stdout", "stderr"):
            self.assertLessEqual(len(data[stream]), 1024)
            self.assertGreater(len(data[stream]), 1000)
            self.assertTrue(data[stream].endswith("4999\n5000\n"))

    def test_nothing_is_kept_where_nothing_is_wanted(self):
        data = self.fail_once("echo x; echo x >&2; exit 1", "stderr_tail = 0\n")[0]
        self.assertNotIn("stdout", data)
        self.assertNotIn("stderr", data)

    def test_control_characters_reach_no_terminal(self):
        body = "printf 'a\\033]0;evil\\007\\tb\\302\\233c\\377\\000d\\n' >&2\n"
        self.fail_once(body + body.replace(" >&2", "") + "exit 1")
        for command in (("show", "j", "k"), ("ls",), ("status",), ("events",)):
            said = self.stint(*command).out
            bad = [c for c in said if ord(c) < 32 and c != "\n" or 127 <= ord(c) < 160]
            self.assertEqual(bad, [], command)

    def test_what_is_done_leaves_nothing(self):
        self.script("handler", "echo 1; echo noise >&2")
        self.config("[job j]\nhandler = exec ./handler\n")
        self.stint("add", "j", "k")
        self.stint("run", "--drain")
        self.assertEqual(self.events("attempt.failed"), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
