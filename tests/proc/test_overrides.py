"""What the command line and the environment of a pool say goes before the files, and is said."""
import unittest

import path  # noqa: F401
from stint_test import StintTest

JOB = "[job j]\nhandler = builtin noop\n"


class Overrides(StintTest):
    def setUp(self):
        super().setUp()
        self.config(JOB)

    def test_what_goes_before_the_files_is_said(self):
        for args, env, by in ((("--workers", "3"), None, "--workers 3"),
                              ((), {"STINT_POOL_WORKERS": "3"}, "STINT_POOL_WORKERS")):
            pool = self.pool(*args, env=env)
            said = f"[pool] workers of the files is not in force: {by}"
            self.config(JOB, workers=5)
            self.assertIn(said, self.stint("reload", "-n").out)
            self.assertIn(said, self.stint("reload").err)
            self.assertEqual(self.stint("reload", "--json").json["overrides"][0]["key"], "workers")
            self.assertEqual(pool.status()["workers_target"], 3)
            self.config(JOB + "timeout = 9s\n", workers=5)
            said = self.stint("reload").err
            self.assertIn("timeout", said)
            self.assertNotIn("workers of the files", said)
            pool.stop()
            self.config(JOB)
        self.pool()
        self.config(JOB, workers=5)
        self.assertNotIn("not in force", self.stint("reload").err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
