"""The checker has teeth: evidence with one violation of each kind, and it is named.

The database is made here by hand with the columns that the contract names: the checker is tested
without stint.
"""
import json
import os
import sqlite3
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]

import checker

SCHEMA = """
CREATE TABLE jobs(id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE stages(id INTEGER PRIMARY KEY, job_id INT REFERENCES jobs, name TEXT, position INT);
CREATE TABLE work_items(id INTEGER PRIMARY KEY, job_id INT REFERENCES jobs, item_key TEXT);
CREATE TABLE item_stages(id INTEGER PRIMARY KEY, item_id INT REFERENCES work_items, stage_id INT,
 status TEXT, attempts INT DEFAULT 0, interruptions INT DEFAULT 0, claim INT,
 next_attempt_at INT);
CREATE TABLE results(item_id INT, stage_id INT, claim INT, superseded INT DEFAULT 0);
CREATE TABLE events(id INTEGER PRIMARY KEY, event TEXT, item_id INT, stage_id INT, data TEXT);
CREATE TABLE stage_counts(stage_id INT, blocked INT, pending INT, in_progress INT,
 retry_later INT, held INT, done INT, skipped INT, failed INT, exhausted INT, cancelled INT);
INSERT INTO jobs VALUES (1, 't'); INSERT INTO stages VALUES (1, 1, 'a', 0), (2, 1, 'b', 1);
"""
C = 7 << 24  # claims of life 7


class Teeth(unittest.TestCase):
    """good: done in two stages after one interruption; bad: fails in b; skip: skipped in b."""

    def setUp(self):
        tmp = tempfile.TemporaryDirectory(prefix="stint-teeth-")
        self.addCleanup(tmp.cleanup)
        self.dir = tmp.name
        self.acks = ["good", "bad"]
        self.tries = ["good", "bad"]
        self.lines = []
        self.db = sqlite3.connect(f"{self.dir}/db", isolation_level=None)
        self.addCleanup(self.db.close)
        self.db.executescript(SCHEMA)
        self.db.execute("INSERT INTO work_items VALUES (1, 1, 'good'), (2, 1, 'bad')")
        self.db.execute("INSERT INTO item_stages VALUES (1,1,1,'done',1,1,?,NULL),"
                        " (2,1,2,'done',1,0,?,NULL), (3,2,1,'done',1,0,?,NULL),"
                        " (4,2,2,'failed',1,0,?,NULL)", (C + 2, C + 3, C + 4, C + 5))
        self.db.execute("INSERT INTO results VALUES (1,1,?,0), (1,2,?,0), (2,1,?,0)",
                        (C + 2, C + 3, C + 4))
        self.event("attempt.interrupted", 1, 1, 1)
        self.event("attempt.failed", 2, 2, 5)
        self.line("begin", "good", "a", 1)
        for item, stage, seq, status in (("good", "a", 2, 0), ("good", "b", 3, 0),
                                         ("bad", "a", 4, 0), ("bad", "b", 5, 65)):
            self.line("begin", item, stage, seq)
            self.line("end", item, stage, seq, status)

    def event(self, event, item, stage, seq):
        self.db.execute("INSERT INTO events (event, item_id, stage_id, data) VALUES (?,?,?,?)",
                        (event, item, stage, json.dumps({"claim": f"7-{seq}"})))

    def line(self, what, item, stage, seq, status=0):
        self.lines.append("\t".join(map(str, (what, item, stage, f"7-{seq}", 1, 99, status, 0))))

    def count(self):
        self.db.execute("DELETE FROM stage_counts")
        for stage in (1, 2):
            counts = [self.db.execute("SELECT COUNT(*) FROM item_stages WHERE stage_id = ? AND"
                                      " status = ?", (stage, s)).fetchone()[0]
                      for s in checker.STATUSES]
            self.db.execute("INSERT INTO stage_counts VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                            (stage, *counts))

    def verdict(self, is_counted=True):
        if is_counted:
            self.count()
        with open(f"{self.dir}/ledger", "w", encoding="utf-8") as f:
            f.writelines([f"try {k}\n" for k in self.tries] + [f"ack {k}\n" for k in self.acks])
        with open(f"{self.dir}/handlers", "w", encoding="utf-8") as f:
            f.writelines(x + "\n" for x in self.lines)
        return checker.check(f"{self.dir}/db", f"{self.dir}/ledger", f"{self.dir}/handlers")

    def expect(self, invariant, words, **kw):
        found = self.verdict(**kw)
        self.assertTrue([v for v in found if v.invariant == invariant and words in v.text],
                        f"{invariant} {words!r} not among {found}")

    def run_set(self, run_id, **columns):
        for column, value in columns.items():
            self.db.execute(f"UPDATE item_stages SET {column} = ? WHERE id = ?", (value, run_id))

    def test_clean_evidence_is_clean(self):
        self.assertEqual(self.verdict(), [])

    def test_i1_lost_key(self):
        self.acks.append("lost")
        self.expect("I1", "lost")

    def test_i2_unknown_item(self):
        self.tries.remove("bad")
        self.expect("I2", "bad was never added")

    def test_i2_handler_of_the_unknown(self):
        self.line("begin", "ghost", "a", 9)
        self.expect("I2", "ghost")

    def test_i2_ended_run_lives_again(self):
        self.line("begin", "good", "a", 9)
        self.expect("I2", "lived again")

    def test_an_operator_sends_a_run_again(self):
        self.event("run.retried", 2, 2, 5)
        self.line("begin", "bad", "b", 6)
        self.line("end", "bad", "b", 6, 65)
        self.event("attempt.failed", 2, 2, 6)
        self.run_set(4, attempts=2, claim=C + 6)
        self.expect("I4", "2 attempts, 1 by events")
        self.run_set(4, attempts=1)
        self.assertEqual(self.verdict(), [])

    def test_an_operator_cancels_what_runs(self):
        self.line("begin", "bad", "b", 6)
        self.run_set(4, status="cancelled", attempts=2, claim=None)
        self.expect("I4", "no event tells of the end of claim")
        self.event("run.cancelled", 2, 2, 6)
        self.assertEqual(self.verdict(), [])

    def test_i3_two_results(self):
        self.db.execute("INSERT INTO results VALUES (1, 1, ?, 0)", (C + 2,))
        self.expect("I3", "2 accepted results")

    def test_i3_no_result(self):
        self.db.execute("DELETE FROM results WHERE stage_id = 2")
        self.expect("I3", "0 accepted results")

    def test_i3_result_of_another_claim(self):
        self.db.execute("UPDATE results SET claim = ? WHERE item_id = 1 AND stage_id = 1",
                        (C + 1,))
        self.expect("I3", "result of")

    def test_i3_accepted_claim_is_not_the_newest(self):
        self.run_set(1, claim=C + 1)
        self.db.execute("UPDATE results SET claim = ? WHERE item_id = 1 AND stage_id = 1",
                        (C + 1,))
        self.line("end", "good", "a", 1)
        self.expect("I3", "newest claim")

    def test_i3_accepted_though_taken_back(self):
        self.event("attempt.interrupted", 1, 2, 3)
        self.expect("I3", "taken back")

    def test_i3_done_without_a_handler_that_ended(self):
        self.lines = [x for x in self.lines if not x.startswith("end\tgood\tb")]
        self.expect("I3", "never came to its end")

    def test_i3_status_is_not_what_the_handler_said(self):
        self.run_set(2, status="skipped")
        self.db.execute("DELETE FROM results WHERE item_id = 1 AND stage_id = 2")
        self.expect("I3", "said exit 0")

    def test_i3_result_of_a_failed_run(self):
        self.db.execute("INSERT INTO results VALUES (2, 2, ?, 0)", (C + 5,))
        self.expect("I3", "has a result")

    def test_i3_claim_used_twice(self):
        self.line("begin", "good", "b", 3)
        self.expect("I3", "ran 2 times")

    def test_i4_interruptions(self):
        self.run_set(1, interruptions=2)
        self.expect("I4", "2 interruptions, 1 events")

    def test_i4_attempts(self):
        self.run_set(1, attempts=2)
        self.expect("I4", "2 attempts, 1 by events")

    def test_i4_one_claim_ends_twice(self):
        self.event("attempt.given_back", 1, 1, 1)
        self.expect("I4", "ended 2 times")

    def test_i4_silent_end(self):
        self.lines.insert(0, "begin\tgood\tb\t6-1\t1\t9\t0\t0")
        self.expect("I4", "no event tells")

    def test_i4_counts(self):
        self.count()
        self.db.execute("UPDATE stage_counts SET done = done + 1 WHERE stage_id = 1")
        self.expect("I4", "stage_counts", is_counted=False)

    def test_i5_no_end(self):
        self.run_set(2, status="pending", claim=None)
        self.expect("I5", "reached no end")

    def test_i5_blocked_for_ever(self):
        self.run_set(2, status="blocked", claim=None)
        self.expect("I5", "blocked by nothing")

    def test_i5_ran_past_a_failure(self):
        self.run_set(3, status="exhausted")
        self.expect("I5", "though a stage before it failed")

    def test_i6_foreign_key(self):
        self.db.execute("UPDATE work_items SET job_id = 77 WHERE id = 2")
        self.expect("I6", "foreign key")

    def test_i6_claim_on_pending(self):
        self.run_set(2, status="pending")
        self.expect("I6", "bears the claim")

    def test_i6_missing_run(self):
        self.db.execute("DELETE FROM item_stages WHERE id = 4")
        self.expect("I6", "1 stage runs of 2")

    def test_i6_stray_due_time(self):
        self.run_set(1, next_attempt_at=5)
        self.expect("I6", "next_attempt_at")

    def test_i10_overlap(self):
        self.line("end", "good", "a", 1)
        self.expect("I10", "after that of")

    def test_i10_orphan_of_an_interrupted_run(self):
        self.line("alive", "good", "a", 1)
        self.expect("I10", "after that of")

    def test_i10_orphan_outlives_its_stage(self):
        self.line("alive", "good", "a", 2)
        self.expect("I10", "after the next stage")

    def test_i14_ownerless(self):
        self.run_set(2, status="in_progress")
        self.expect("I14", "no pool is alive")


if __name__ == "__main__":
    unittest.main()
