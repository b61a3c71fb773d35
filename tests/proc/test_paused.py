"""A handler that cannot work pauses its stage; mending it and starting again is all it takes."""
import os
import unittest

import path  # noqa: F401
from stint_test import StintTest


class Paused(StintTest):
    def test_a_mended_handler_works_at_the_next_start(self):
        self.script("late", "echo '\"done\"'\n")
        os.chmod(self.path("late"), 0o600)
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./late\n", workers=2)
        self.stint("add", "j", "a", "b", "c")
        self.stint("run", "--drain", code=1, timeout=120)
        self.assertEqual(self.value("SELECT count(*) FROM pauses WHERE paused = 1"), 1)
        self.assertEqual({r["attempts"] for r in self.runs("j")}, {0})
        os.chmod(self.path("late"), 0o700)
        self.stint("run", "--drain", timeout=120)
        self.assertEqual({(r["status"], r["attempts"]) for r in self.runs("j")}, {("done", 1)})
        self.assertEqual(self.value("SELECT count(*) FROM pauses"), 0)
        self.assertEqual(len(self.events("stage.resumed")), 1)

    def test_a_killed_handler_is_said_to_be_killed(self):
        self.script("dies", "echo my last words >&2; kill -9 $$\n")
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./dies\nmax_attempts = 1\n")
        self.stint("add", "j", "a")
        self.stint("run", "--drain", code=1, timeout=120)
        failed = self.events("attempt.failed")[0]["data"]
        self.assertEqual(failed["why"], "killed by signal 9 (SIGKILL)")
        self.assertIn("my last words", failed["stderr"])


if __name__ == "__main__":
    unittest.main()
