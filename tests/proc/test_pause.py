"""pause and resume by an operator: nothing new starts, what runs ends, time and pools change nothing."""
import os
import subprocess
import unittest

import path  # noqa: F401
import control
from stint_test import BIN, StintTest
from waiting import wait_until

NOOP = "[job j]\nstages = a b\n[stage j.a]\nhandler = builtin noop\n" \
       "[stage j.b]\nhandler = builtin noop\n"


class Pause(StintTest):
    def state(self):
        found = self.stint("status", "--json").json["jobs"][0]
        return found["paused"], [s["paused"] for s in found["stages"]]

    def test_a_job_rests_until_it_is_resumed(self):
        self.config(NOOP)
        self.stint("pause", "j", "--reason", "too\tearly")
        self.stint("add", "j", "k")
        self.assertIn("paused: j: too\\tearly", self.stint("status").out)
        said = self.stint("wait", "j", code=1)
        self.assertIn("job j is paused: too", said.err)
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.statuses("k"), {"a": "pending", "b": "blocked"})
        pool = self.pool()
        self.assertIn("it was paused: too", self.stint("resume", "j").out)
        self.wait_status("k", "b", "done")
        pool.stop()
        data = self.events("job.paused")[0]["data"]
        self.assertEqual((data["why"], data["uid"]), ("too\tearly", os.getuid()))
        self.assertEqual(len(self.events("job.resumed")), 1)

    def test_a_stage_rests_and_the_others_go_on(self):
        self.config(NOOP)
        self.stint("add", "j", "k")
        self.stint("pause", "j.b")
        pool = self.pool()
        self.wait_status("k", "a", "done")
        self.assertEqual(self.state(), (False, [False, True]))
        self.assertIn("paused still: j.b", self.stint("resume", "j", code=5).err)
        self.assertEqual(self.run_of("k", "b")["status"], "pending")
        self.stint("unpause", "j.b")
        self.wait_status("k", "b", "done")
        pool.stop()

    def test_time_ends_it(self):
        self.config(NOOP)
        pool = self.pool()
        self.stint("pause", "j", "--for", "300ms")
        self.stint("pause", "j.a", "--for", "300ms")
        self.stint("add", "j", "k")
        self.wait_status("k", "b", "done")
        pool.stop()
        self.assertNotIn("uid", self.events("job.resumed")[0]["data"])
        self.assertEqual(len(self.events("stage.resumed")), 1)
        self.assertEqual(self.state(), (False, [False, False]))

    def test_a_new_pool_does_not_end_it(self):
        self.config(NOOP)
        self.stint("add", "j", "k")
        self.stint("pause", "j.a", "--for", "1h")
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.run_of("k", "a")["status"], "pending")
        self.assertEqual(self.state(), (False, [True, False]))

    def test_twice_says_so_and_new_words_take_their_place(self):
        self.config(NOOP)
        self.assertIn("j is not paused", self.stint("resume", "j").out)
        self.stint("pause", "j", "--for", "1h", "--reason", "one")
        again = self.stint("pause", "j", "--json").json
        self.assertEqual((again["changed"], again["was_paused"], again["reason"]),
                         (False, True, "one"))
        self.assertIn("j is already paused until", self.stint("pause", "j").out)
        self.assertEqual(len(self.events("job.paused")), 1)
        new = self.stint("pause", "j", "--reason", "two", "--json").json
        self.assertEqual((new["changed"], new["reason"], new["until"]),
                         (True, "two", again["until"]))

    def test_dry_run_changes_nothing(self):
        self.config(NOOP)
        self.assertIn("would be paused", self.stint("pause", "j", "-n").out)
        self.stint("resume", "j", "-n")
        self.assertFalse(os.path.exists(self.database))
        self.stint("pause", "j")
        self.assertIn("would be resumed", self.stint("resume", "j", "-n").out)
        self.assertEqual(self.state()[0], True)

    def test_the_pause_of_a_handler_is_ended_at_once_or_taken_over(self):
        self.script("late", "exit 78\n")
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./late\n", workers=1)
        self.stint("add", "j", "a")
        pool = self.pool()
        wait_until(lambda: self.value("SELECT count(*) FROM pauses WHERE paused"), "paused")
        self.assertIn("paused by its own handler", self.stint("pause", "j.s").out)
        self.assertIsNone(self.value("SELECT retry_after FROM pauses"))
        self.stint("resume", "j.s")
        self.assertEqual(self.value("SELECT count(*) FROM pauses"), 0)
        self.script("late", "echo 1\n")
        self.execute("UPDATE item_stages SET next_attempt_at = 1 WHERE status = 'retry_later'")
        self.wait_status("a", "s", "done")
        pool.stop()

    def test_it_returns_when_every_claimed_run_has_begun_or_ended(self):
        """A claim in the name of a worker that shows no sign of it yet: the moment before a start."""
        self.config(NOOP)
        self.stint("pause", "j")
        self.stint("add", "j", "k")
        pool = self.pool()
        life = control.workers(pool.socket)[0]["life"]
        self.execute("UPDATE item_stages SET status = 'in_progress', claim = ?"
                     " WHERE status = 'pending'", life << 24 | 9999999)
        self.stint("resume", "j")
        with subprocess.Popen([f"{BIN}/stint", "pause", "j"], cwd=self.dir, text=True,
                              env=self.environment(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE) as pausing:
            self.assertIn("waiting for 1 run claimed just before", pausing.stderr.readline())
            self.assertEqual(self.state(), (True, [True, True]))
            self.assertIsNone(pausing.poll())
            self.execute("UPDATE item_stages SET status = 'pending', claim = NULL"
                         " WHERE status = 'in_progress'")
            self.assertEqual(pausing.wait(60), 0)
            pausing.stderr.read()
        pool.stop()
        self.assertEqual(self.run_of("k", "a")["status"], "pending")

    def test_it_does_not_wait_for_the_end_of_what_runs(self):
        self.ledger_script("waits", self.gate())
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./waits\n")
        self.stint("add", "j", "k", "l", "m")
        pool = self.pool()
        wait_until(lambda: len(self.begun()) == 2, "two run")
        self.assertIn("2 runs go on to their end", self.stint("pause", "j").err)
        self.open_gate()
        wait_until(lambda: self.value("SELECT count(*) FROM results") == 2, "they end")
        self.assertEqual(self.run_of("m")["status"], "pending")
        pool.stop()


if __name__ == "__main__":
    unittest.main()
