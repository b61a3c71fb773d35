"""Of quick exec handlers several are claimed at once: what becomes of them when one is not quick."""
import os
import unittest

import path  # noqa: F401
from stint_test import StintTest, main
from waiting import wait_until

KEYS = [f"k{n:02}" for n in range(40)]


class Ahead(StintTest):
    def begin(self, slow="k20"):
        """One worker; it has come to the slow one, which ends when the gate is opened."""
        gate = self.gate()
        self.config(f"[job j]\nhandler = shell test $STINT_ITEM != {slow} || {{ : >begun; {gate}; }}"
                    "\n", workers=1)
        self.stint("add", "j", *KEYS)
        pool = self.pool()
        wait_until(lambda: os.path.exists(self.path("begun")), "the slow one runs")
        return pool

    def count(self, status):
        return self.value("SELECT count(*) FROM item_stages WHERE status = ?", status)

    def assert_each_done_once(self):
        self.assertEqual({(r["status"], r["attempts"], r["interruptions"]) for r in self.runs()},
                         {("done", 1, 0)})

    def test_a_long_run_keeps_no_outcome_and_no_claim(self):
        self.begin()
        wait_until(lambda: (self.count("done"), self.count("in_progress"),
                            self.count("pending")) == (20, 1, 19), "handed over, and given back")
        self.open_gate()
        wait_until(lambda: self.count("done") == 40, "all done")
        self.assert_each_done_once()
        self.assert_counts_exact()

    def test_nothing_that_was_claimed_begins_after_a_pause(self):
        self.begin()
        self.stint("pause", "j")
        self.open_gate()
        wait_until(lambda: self.count("in_progress") == 0, "it has ended")
        self.assertEqual((self.count("done"), self.count("pending")), (21, 19))
        self.stint("resume", "j")
        wait_until(lambda: self.count("done") == 40, "all done")
        self.assert_each_done_once()

    def test_a_stop_gives_back_what_did_not_begin(self):
        pool = self.begin()
        pool.signal(15)
        self.open_gate()
        pool.wait()
        self.assertEqual(self.count("in_progress"), 0)
        self.stint("run", "--drain")
        self.assert_each_done_once()

    def test_one_that_says_more_than_a_pipe_holds(self):
        self.config("[job j]\nhandler = shell test $STINT_ITEM != k20 || "
                    "{ head -c 300000 /dev/zero | tr '\\0' x; echo said >&2; exit 0; }\n", workers=1)
        self.stint("add", "j", *KEYS)
        self.stint("run", "--drain")
        self.assertEqual(self.result_of("k20", "j"), "x" * 300000)
        self.assert_each_done_once()

    def test_a_worker_that_is_killed_costs_only_what_had_begun(self):
        self.config("[job j]\nhandler = shell test $STINT_ITEM != k20 || test -e killed || "
                    "{ : >killed; kill -9 $PPID; sleep 60; }\n", workers=1)
        self.stint("add", "j", *KEYS)
        self.stint("run", "--drain")
        self.assertEqual(self.count("done"), 40)
        again = {e["key"] for e in self.events("attempt.interrupted")}
        self.assertIn("k20", again)
        self.assertLessEqual(max(again), "k20")
        self.assertEqual({r["key"] for r in self.runs() if r["interruptions"]}, again)

    def test_a_handler_that_cannot_start_pauses_for_all(self):
        self.config("[job j]\nhandler = shell test $STINT_ITEM != k20 || exit 78\n", workers=1)
        self.stint("add", "j", *KEYS)
        self.stint("run", "--drain", code=1)
        self.assertEqual((self.count("done"), self.count("pending")), (20, 19))
        self.assertEqual(len(self.events("stage.paused")), 1)


if __name__ == "__main__":
    main()
