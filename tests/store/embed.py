#!/usr/bin/env python3
"""embed_sql.py accepts what is right and says what is wrong, and where."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "embed_sql.py"
GOOD = """-- purpose: one thing
-- which goes on
-- params: id, now_ms
-- columns: name
-- rows: 0..1
-- access: reads
SELECT name FROM t WHERE id = :id AND at < :now_ms AND x <> ':not_me'
"""
MIGRATION = "CREATE TABLE t (id);\nPRAGMA user_version = 1;\n"


class Embed(unittest.TestCase):
    def setUp(self):
        self.temp = tempfile.TemporaryDirectory()
        self.addCleanup(self.temp.cleanup)
        self.root = pathlib.Path(self.temp.name)
        self.write("src/a.c", "query(store, Q_THING);")
        self.write("sql/sqlite/thing.sql", GOOD)
        self.write("sql/sqlite/migrations/0001_t.sql", MIGRATION)
        self.write("out/.keep", "")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_it(self):
        return subprocess.run(
            [sys.executable, "-B", str(SCRIPT), "--sql", self.root / "sql", "--sources",
             self.root / "src", "--out", self.root / "out"], capture_output=True, text=True,
            check=False)

    def refuses(self, words):
        done = self.run_it()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(words, done.stderr)
        self.assertFalse((self.root / "out/statements.h").exists())

    def test_good(self):
        done = self.run_it()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Q_THING,", (self.root / "out/statements.h").read_text())
        source = (self.root / "out/statements.c").read_text()
        self.assertIn('{"id", "now_ms"}, 2', source)
        self.assertIn('{"name"}, 1, ACCESS_READS', source)

    def test_heads(self):
        for old, new, words in (
                ("-- rows: 0..1\n", "", 'expected "-- rows: ..."'),
                ("-- purpose: one thing\n", "", 'expected "-- purpose: ..."'),
                ("-- columns: name\n-- rows: 0..1\n", "-- rows: 0..1\n-- columns: name\n",
                 'expected "-- columns: ..."'),
                ("rows: 0..1", "rows: some", "rows: 'some'"),
                ("access: reads", "access: looks", "access: 'looks'"),
                ("params: id, now_ms", "params: id", "uses :now_ms"),
                ("params: id, now_ms", "params: id, now_ms, more", "name more"),
                ("params: id, now_ms", "params: id, now_ms, id", "stands twice"),
                ("params: id, now_ms", "params: id, NowMs", "no lower-case name"),
                ("SELECT name", "SELECT 1; SELECT name", "without a semicolon")):
            with self.subTest(words):
                self.write("sql/sqlite/thing.sql", GOOD.replace(old, new))
                self.refuses(words)

    def test_empty_statement(self):
        head = GOOD[:GOOD.index("SELECT")].replace("id, now_ms", "none")
        self.write("sql/sqlite/thing.sql", head)
        self.refuses("no statement")

    def test_unused(self):
        self.write("sql/sqlite/other.sql", GOOD)
        self.refuses("other is used by no file")
        self.write("src/a.c", "Q_THING Q_OTHER_THING")
        self.refuses("other is used by no file")

    def test_migrations(self):
        self.write("sql/sqlite/migrations/0003_t.sql", MIGRATION)
        self.refuses("expected migration 0002")
        (self.root / "sql/sqlite/migrations/0003_t.sql").unlink()
        self.write("sql/sqlite/migrations/0001_t.sql", "CREATE TABLE t (id);\n")
        self.refuses("user_version = 1")

    def test_dialects(self):
        self.write("sql/postgres/thing.sql", GOOD)
        self.write("sql/postgres/migrations/0001_t.sql", MIGRATION)
        self.assertEqual(self.run_it().returncode, 0)
        for made in (self.root / "out").glob("statements.*"):
            made.unlink()
        self.write("sql/postgres/thing.sql", GOOD.replace("columns: name", "columns: title"))
        self.refuses("columns differ")
        self.write("sql/postgres/thing.sql",
                   GOOD.replace("id, now_ms", "now_ms, id"))
        self.refuses("params differ")
        (self.root / "sql/postgres/thing.sql").unlink()
        self.refuses("postgres: lacks thing.sql")


if __name__ == "__main__":
    unittest.main()
