"""The store's rules from outside: what a foreign writer may do, and what the database refuses."""
import json
import sqlite3
import time
import unittest

import path  # noqa: F401
import procs
from stint_test import StintTest
from waiting import wait_until

JOB = "[job j]\nstages = a b\n[stage j.a]\nhandler = {}\n[stage j.b]\nhandler = builtin noop\n"


class Rules(StintTest):
    def setUp(self):
        super().setUp()
        self.config(JOB.format("builtin noop"))

    def test_raw_update_cannot_jump_the_table(self):
        self.stint("add", "j", "k")
        for wrong in ("done", "failed", "exhausted", "retry_later", "nonsense"):
            with self.assertRaises(sqlite3.Error, msg=wrong):
                self.execute("UPDATE item_stages SET status = ? WHERE status = 'pending'", wrong)
        with self.assertRaises(sqlite3.Error):
            self.execute("UPDATE item_stages SET status = 'in_progress' WHERE status = 'blocked'")
        self.assertEqual(self.statuses("k"), {"a": "pending", "b": "blocked"})
        self.assert_counts_exact()

    def test_raw_update_that_is_allowed_keeps_the_counts(self):
        self.stint("add", "j", "k", "l")
        self.assertEqual(self.execute("UPDATE item_stages SET status = 'held' WHERE status ="
                                      " 'pending' AND item_id = 1"), 1)
        self.assert_counts_exact()
        self.assertEqual(self.value("SELECT COUNT(*) FROM item_stages WHERE status='held'"), 1)

    def test_orphans_are_refused(self):
        self.stint("add", "j", "k")
        db = sqlite3.connect(self.database)
        self.addCleanup(db.close)
        db.execute("PRAGMA foreign_keys = ON")
        with self.assertRaises(sqlite3.IntegrityError):
            db.execute("INSERT INTO work_items (job_id, item_key, data, priority, created_at,"
                       " updated_at) VALUES (999, 'x', '{}', 0, 1, 1)")
            db.commit()
        db.rollback()

    def test_settings_of_the_file(self):
        self.stint("add", "j", "k")
        self.assertEqual(self.value("PRAGMA journal_mode"), "wal")
        self.assertEqual(self.value("PRAGMA integrity_check"), "ok")
        strict = self.query("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type ="
                            " 'table' AND name NOT LIKE 'sqlite_%' AND NOT strict")
        self.assertEqual(strict, [])
        tables = {r["name"] for r in self.query("SELECT name FROM sqlite_schema")}
        for name in ("jobs stages stage_edges work_items item_stages results events job_state"
                     " pauses pools stage_counts inbox submit item_derived_status").split():
            self.assertIn(name, tables)


class Submit(StintTest):
    def setUp(self):
        super().setUp()
        self.ledger_script("note", ":")
        self.config(JOB.format("exec ./note"))

    def test_insert_starts_work_on_an_idle_pool(self):
        self.pool()
        took = []
        for n in range(5):
            before = time.monotonic()
            self.execute("INSERT INTO submit (job, item_key, data, priority) VALUES"
                         " ('j', ?, '{\"n\": 1}', 3)", f"s{n}")
            wait_until(lambda n=n: self.begun(f"s{n}", "a"), f"s{n} starts")
            took.append(time.monotonic() - before)
            wait_until(lambda n=n: set(self.statuses(f"s{n}").values()) == {"done"}, f"s{n} done")
        print(f"submit → handler: {', '.join(f'{t * 1000:.1f} ms' for t in took)}")
        self.assertLess(min(took), 2.0)
        row = self.query("SELECT * FROM work_items WHERE item_key = 's0'")[0]
        self.assertEqual((json.loads(row["data"]), row["priority"]), ({"n": 1}, 3))

    def test_unknown_job_fails_at_once(self):
        self.stint("add", "j", "k")
        with self.assertRaises(sqlite3.Error):
            self.execute("INSERT INTO submit (job, item_key) VALUES ('nope', 'x')")
        self.assertEqual(self.value("SELECT COUNT(*) FROM inbox"), 0)

    def test_defaults_and_merge(self):
        self.stint("add", "j", "k", "--data", '{"a": 1}', "--priority", "5")
        self.pool()
        self.execute("INSERT INTO submit (job, item_key) VALUES ('j', 'k')")
        self.execute("INSERT INTO submit (job, item_key) VALUES ('j', 'fresh')")
        wait_until(lambda: set(self.statuses("fresh").values()) == {"done"}, "admitted and done")
        row = self.query("SELECT * FROM work_items WHERE item_key = 'k'")[0]
        self.assertEqual(json.loads(row["data"]), {"a": 1})

    def test_bad_rows_are_refused_and_block_nothing(self):
        self.stint("add", "j", "seed")
        bad = [("bad\nkey", None), ("x" * 513, None), ("", None), ("badjson", "{nope")]
        admitted = 0
        for key, data in bad:
            try:
                self.execute("INSERT INTO submit (job, item_key, data) VALUES ('j', ?, ?)", key,
                             data)
                admitted += 1
            except sqlite3.Error:
                pass  # refused by the trigger already: as good
        self.execute("INSERT INTO submit (job, item_key) VALUES ('j', 'good')")
        self.stint("run", "--drain", code=None)
        self.assertEqual(set(self.statuses("good").values()), {"done"})
        self.assertEqual(self.value("SELECT COUNT(*) FROM work_items WHERE item_key NOT IN"
                                    " ('seed', 'good')"), 0)
        rows = self.query("SELECT * FROM inbox")
        self.assertEqual(len(rows), admitted, rows)
        for row in rows:
            self.assertTrue(any(isinstance(v, str) and len(v) > 3 for k, v in row.items()
                                if "refus" in k or "reason" in k or "error" in k), row)

    def test_rows_wait_for_the_pool_and_come_in_order(self):
        self.stint("add", "j", "seed")
        self.stint("run", "--drain")
        for n in range(20):
            self.execute("INSERT INTO submit (job, item_key) VALUES ('j', ?)", f"o{n:02}")
        self.stint("run", "--drain")
        keys = [r["item_key"] for r in self.query("SELECT item_key FROM work_items ORDER BY id")]
        self.assertEqual(keys, ["seed"] + [f"o{n:02}" for n in range(20)])
        self.assertEqual(self.value("SELECT COUNT(*) FROM inbox"), 0)
        self.assertEqual(len(self.begun(stage="a")), 21)

    def test_rolled_back_insert_submits_nothing(self):
        self.stint("add", "j", "seed")
        db = sqlite3.connect(self.database)
        db.execute("INSERT INTO submit (job, item_key) VALUES ('j', 'ghost')")
        db.rollback()
        db.close()
        self.stint("run", "--drain")
        self.assertEqual(self.statuses("ghost"), {})


class Fencing(StintTest):
    """A claim that was taken away decides nothing any more, however its handler ends."""

    def take_away(self, heartbeat_interval):
        self.ledger_script("twice", f'if mkdir first 2>/dev/null; then {self.gate("one")}; '
                                    f'else {self.gate("two")}; fi; echo "{{\\"by\\": $$}}"')
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./twice\n",
                    heartbeat_interval=heartbeat_interval, heartbeat_timeout="90s")
        self.stint("add", "j", "k")
        pool = self.pool()
        wait_until(lambda: self.begun("k"), "the first run")
        self.assertEqual(self.execute("UPDATE item_stages SET status = 'pending', claim = NULL"
                                      " WHERE status = 'in_progress'"), 1)
        wait_until(lambda: len(self.begun("k")) == 2, "the second run")
        return pool

    def finish(self, pool):
        wait_until(lambda: self.events("claim.lost", "k"), "the first learns that it is lost")
        self.assertEqual(self.run_of("k")["status"], "in_progress")
        self.assertIsNone(self.result_of("k", "s"))
        self.open_gate("two")
        row = self.wait_status("k", "s", "done")
        second = self.begun("k")[1]
        self.assertEqual(row["claim"], second.claim)
        self.assertEqual(self.result_of("k", "s"), {"by": second.pid})
        self.assertEqual(pool.stop(), 0)
        self.assertEqual(len(self.events("claim.lost")), 1)
        self.assert_counts_exact()

    def test_outcome_of_a_lost_claim_is_dropped(self):
        pool = self.take_away("30s")
        self.open_gate("one")
        self.finish(pool)

    def test_handler_of_a_lost_claim_is_killed_at_the_next_beat(self):
        pool = self.take_away("200ms")
        first = self.begun("k")[0].pid
        wait_until(lambda: not procs.is_alive(first), "its handler is killed")
        self.finish(pool)


if __name__ == "__main__":
    unittest.main(verbosity=2)
