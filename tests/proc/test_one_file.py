"""One pool, one database file: by one name, and the same file as long as the pool lives."""
import os
import shutil
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

    def put_away(self):
        return os.path.join(self.dir, "elsewhere")


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


if __name__ == "__main__":
    unittest.main()
