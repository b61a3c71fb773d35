"""stint add: making it so, reports, and that bad input changes nothing."""
import json
import unittest

import path  # noqa: F401
from stint_test import StintTest

JOBS = ("[job j]\nhandler = shell [ \"$STINT_ITEM\" != bad ]\nmax_attempts = 1\n"
        "[job keep]\nmerge = keep\nhandler = builtin noop\n"
        "[job rerun]\non_change = rerun\nhandler = builtin noop\npriority = 7\n")


class Add(StintTest):
    def setUp(self):
        super().setUp()
        self.config(JOBS)

    def report(self, *args, **kw):
        """(new, merged, reopened, unchanged) of an add."""
        got = self.stint("--json", "add", *args, **kw).json
        found = {k.removesuffix("_items"): v for k, v in got.items()}
        return tuple(found[k] for k in ("new", "merged", "reopened", "unchanged"))

    def item(self, key):
        return self.query("SELECT * FROM work_items WHERE item_key = ?", key)[0]

    def data(self, key):
        return json.loads(self.item(key)["data"])

    def test_keys(self):
        self.assertEqual(self.report("j", "a", "b", "ключ/三"), (3, 0, 0, 0))
        self.assertEqual(self.report("j", "a", "c"), (1, 0, 0, 1))
        self.assertEqual(self.value("SELECT COUNT(*) FROM work_items"), 4)
        self.assertEqual(self.data("a"), {})
        self.assertEqual(self.item("ключ/三")["depth"], 0)

    def test_text_report_is_for_people_and_stdout_stays_data(self):
        done = self.stint("add", "j", "a", "b")
        self.assertRegex(done.out + done.err, r"2")
        self.assertNotIn("{", done.out)

    def test_data_overwrites_by_default(self):
        self.report("j", "a", "--data", '{"x": 1, "y": 2}')
        self.assertEqual(self.report("j", "a", "--data", '{"x": 3}'), (0, 1, 0, 0))
        self.assertEqual(self.data("a"), {"x": 3})
        self.assertEqual(self.report("j", "a"), (0, 0, 0, 1))
        self.assertEqual(self.data("a"), {"x": 3})

    def test_merge_keep(self):
        self.report("keep", "a", "--data", '{"x": 1}')
        self.assertEqual(self.report("keep", "a", "--data", '{"x": 2}')[0], 0)
        self.assertEqual(self.data("a"), {"x": 1})

    def test_priority(self):
        self.report("rerun", "preset")
        self.report("rerun", "given", "--priority", "-12")
        self.assertEqual((self.item("preset")["priority"], self.item("given")["priority"]),
                         (7, -12))
        self.stint("add", "j", "x", "--priority", "1000001", code=2)

    def test_done_is_merged_not_rerun(self):
        self.report("j", "a", "--data", '{"x": 1}')
        self.stint("run", "--drain")
        self.assertEqual(self.report("j", "a", "--data", '{"x": 2}'), (0, 1, 0, 0))
        self.assertEqual(self.data("a"), {"x": 2})
        self.assertEqual(self.run_of("a")["status"], "done")

    def test_on_change_rerun(self):
        self.report("rerun", "a", "--data", '{"x": 1}')
        self.stint("run", "--drain")
        self.assertEqual(self.report("rerun", "a", "--data", '{"x": 1}'), (0, 0, 0, 1))
        self.assertEqual(self.report("rerun", "a", "--data", '{"x": 2}'), (0, 0, 1, 0))
        self.assertEqual(self.run_of("a")["status"], "pending")
        self.assertIsNone(self.result_of("a", "rerun"))
        self.stint("run", "--drain")
        self.assertEqual(self.run_of("a")["status"], "done")
        self.assert_counts_exact()

    def test_dead_letters_stay_dead_but_with_retry(self):
        self.report("j", "bad")
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.run_of("bad")["status"], "exhausted")
        self.assertEqual(self.report("j", "bad", "--data", '{"x": 1}'), (0, 1, 0, 0))
        self.assertEqual(self.run_of("bad")["status"], "exhausted")
        told = self.stint("add", "j", "bad")
        self.assertIn("--retry", told.out + told.err)
        self.assertEqual(self.report("j", "bad", "--retry"), (0, 0, 1, 0))
        self.assertEqual(self.run_of("bad")["status"], "pending")
        self.assertEqual(self.run_of("bad")["attempts"], 0)
        self.assert_counts_exact()

    def test_from_jsonl_csv_and_stdin(self):
        self.write("items.jsonl", '{"key": "j1", "data": {"n": 1}, "priority": 4}\n\n'
                                  '{"key": "j2"}\n')
        self.assertEqual(self.report("j", "--from", "items.jsonl"), (2, 0, 0, 0))
        self.assertEqual((self.data("j1"), self.item("j1")["priority"]), ({"n": 1}, 4))
        self.write("items.csv", 'key,size,title\nc1,12,"a ""quoted"", title"\n'
                                'c2,3,"two\nlines"\n')
        self.assertEqual(self.report("j", "--from", "items.csv"), (2, 0, 0, 0))
        self.assertEqual(self.data("c1")["title"], 'a "quoted", title')
        self.assertEqual(self.data("c2")["title"], "two\nlines")
        self.assertEqual(self.report("j", "--from", "-", stdin='{"key": "s1"}\n'), (1, 0, 0, 0))

    def test_data_from_file_and_stdin(self):
        self.write("d.json", '{"big": [1, 2, 3]}')
        self.report("j", "f", "--data", "@d.json")
        self.report("j", "s", "--data", "-", stdin='{"from": "stdin"}')
        self.assertEqual((self.data("f"), self.data("s")),
                         ({"big": [1, 2, 3]}, {"from": "stdin"}))

    def test_dry_run_changes_nothing(self):
        self.report("j", "a")
        before = self.query("SELECT * FROM work_items")
        told = self.stint("--json", "add", "j", "a", "b", "-n").json
        self.assertEqual(told.get("new", told.get("new_items")), 1)
        self.assertEqual(self.query("SELECT * FROM work_items"), before)
        self.assert_counts_exact()

    def test_bad_input_changes_nothing(self):
        self.report("j", "a")
        self.write("bad.jsonl", '{"key": "fine"}\n{"key": "broken"\n')
        self.write("nokey.jsonl", '{"key": "fine"}\n{"data": {}}\n')
        self.write("badprio.jsonl", '{"key": "fine"}\n{"key": "x", "priority": "high"}\n')
        cases = (["j", "bad\nkey"], ["j", "x" * 513], ["j", ""], ["j", "k", "--data", "{nope"],
                 ["j", "--from", "bad.jsonl"], ["j", "--from", "nokey.jsonl"],
                 ["j", "--from", "badprio.jsonl"], ["j", "--from", "missing.jsonl"], ["j"], [],
                 ["jj", "k"], ["j", "fine", "no\x01pe"], ["j", "k", "--data", "@missing"],
                 ["j", "k", "--unknown"])
        for case in cases:
            done = self.stint("add", *case, code=None)
            self.assertIn(done.code, (1, 2), str(done))
            self.assertTrue(done.err.strip(), case)
            self.assertEqual(done.out.strip(), "", case)
        self.assertEqual([r["item_key"] for r in self.query("SELECT item_key FROM work_items")],
                         ["a"])
        self.assertIn("bad.jsonl:2", self.stint("add", "j", "--from", "bad.jsonl", code=None).err)
        self.assertIn('"j"', self.stint("add", "jj", "k", code=None).err)

    def test_limits_of_keys_and_data(self):
        self.report("j", "x" * 512)
        room = (1 << 20) - len('{"b": ""}')
        self.write("max.json", '{"b": "' + "x" * room + '"}')
        self.write("over.json", '{"b": "' + "x" * (room + 1) + '"}')
        self.report("j", "max", "--data", "@max.json")
        done = self.stint("add", "j", "over", "--data", "@over.json", code=None)
        self.assertIn(done.code, (1, 2), str(done))
        self.assertEqual(self.value("SELECT COUNT(*) FROM work_items"), 2)

    def test_many_items_in_bites(self):
        with open(self.path("many.jsonl"), "w", encoding="utf-8") as f:
            f.writelines(f'{{"key": "m{n}"}}\n' for n in range(25_000))
        self.assertEqual(self.report("j", "--from", "many.jsonl"), (25_000, 0, 0, 0))
        self.assert_counts_exact()
        self.assertEqual(self.report("j", "--from", "many.jsonl"), (0, 0, 0, 25_000))

    def test_add_wakes_a_running_pool(self):
        self.pool()
        self.stint("add", "j", "live")
        self.wait_status("live", "j", "done")


if __name__ == "__main__":
    unittest.main(verbosity=2)
