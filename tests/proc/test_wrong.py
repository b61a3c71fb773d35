"""Wrong command lines (wrong_lines.txt): each has its status and a message of its own."""
import collections
import os
import shlex
import sqlite3
import unittest
from concurrent.futures import ThreadPoolExecutor

import path  # noqa: F401
from stint_test import StintTest

HERE = os.path.dirname(os.path.abspath(__file__))
GOOD = """[pool]
workers = 2
[resource web]
rate = 5/s
[job news]
stages = fetch parse
[stage news.fetch]
handler = builtin noop
resource = web
[stage news.parse]
handler = builtin noop
[job prices]
handler = builtin noop
"""
BROKEN = "[job j]\nhandlre = builtin noop\n"

Row = collections.namedtuple("Row", "place code is_shared line part")


def read_rows():
    rows, place = [], None
    with open(os.path.join(HERE, "wrong_lines.txt"), encoding="utf-8") as f:
        for text in f.read().splitlines():
            if text.startswith("["):
                place = text.strip("[]")
            elif text and not text.startswith("#"):
                head, part = text[4:].split("  =>  ")
                rows.append(Row(place, int(text[:2]), text[2] == "*", head, part))
    return rows


ROWS = read_rows()


class Wrong(StintTest):
    def place(self, name, config, *added):
        """A directory with this configuration, and items of job news."""
        os.mkdir(self.path(name))
        if config:
            self.write(f"{name}/stint.conf", config)
        if added:
            self.stint("add", "news", *added, cwd=self.path(name))

    def try_row(self, row):
        return self.stint(*shlex.split(row.line), code=None, cwd=self.path(row.place))

    def try_all(self, place):
        rows = [row for row in ROWS if row.place == place]
        self.assertGreater(len(rows), 0)
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(self.try_row, rows))
        for row, said in zip(rows, results):
            text = (said.out + said.err).replace(self.path(place) + "/", "")
            with self.subTest(place=place, line=row.line):
                self.assertEqual(said.code, row.code, text)
                self.assertIn(row.part, text)
        self.look_alike(rows, results)

    def look_alike(self, rows, results):
        """Two mistakes share a message only where the table says that they are the same."""
        by_text = collections.defaultdict(list)
        for row, said in zip(rows, results):
            by_text[said.err].append(row)
        for text, alike in by_text.items():
            if len(alike) > 1:
                self.assertTrue(all(row.is_shared for row in alike),
                                f"{[row.line for row in alike]} say the same: {text}")

    def test_in_a_good_place(self):
        self.place("ok", GOOD, "a", "b")
        self.write("ok/a file", "x\n")
        self.write("ok/no-key.csv", "a,b\n1,2\n")
        os.mkdir(self.path("ok", "dir"))
        with open(self.path("ok", "bin.dat"), "wb") as f:
            f.write(b"\0\xff\n")
        before = sorted(os.listdir(self.path("ok")))
        self.try_all("ok")
        self.assertEqual(sorted(os.listdir(self.path("ok"))), before)

    def test_without_a_configuration(self):
        self.place("ok", GOOD)
        self.place("bad", BROKEN)
        self.place("none", None)
        self.try_all("none")
        self.assertEqual(os.listdir(self.path("none")), [])

    def test_with_a_broken_configuration(self):
        self.place("bad", BROKEN)
        self.try_all("bad")
        self.assertEqual(os.listdir(self.path("bad")), ["stint.conf"])

    def test_before_anything_was_added(self):
        self.place("fresh", GOOD)
        self.try_all("fresh")
        self.assertEqual(os.listdir(self.path("fresh")), ["stint.conf"])

    def test_databases_of_somebody_else(self):
        self.place("notdb", GOOD)
        self.write("notdb/stint.db", "x" * 5000)
        self.place("other", GOOD)
        self.place("newer", GOOD, "a")
        for name, sql in (("other", "CREATE TABLE t (a)"), ("newer", "PRAGMA user_version = 99")):
            db = sqlite3.connect(self.path(name, "stint.db"))
            db.execute(sql)
            db.commit()
            db.close()
        for name in ("notdb", "other", "newer"):
            self.try_all(name)

    def test_beside_a_pool(self):
        self.config("[job j]\nhandler = builtin noop\n")
        pool = self.pool()
        os.symlink(self.dir, self.path("pool"))
        self.try_all("pool")
        pool.stop()

    def test_the_table_is_as_large_as_it_should_be(self):
        self.assertGreaterEqual(len(ROWS), 200)
        self.assertEqual(len({(row.place, row.line) for row in ROWS}), len(ROWS))


if __name__ == "__main__":
    unittest.main()
