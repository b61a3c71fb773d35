"""The end of an attempt: timeouts, process trees, what a handler leaves behind."""
import unittest

import path  # noqa: F401
import procs
from stint_test import StintTest
from waiting import wait_until

# A child in its own session, twice forked, that ignores TERM and holds stdout and stderr open.
ORPHAN = ("setsid sh -c 'trap \"\" TERM HUP INT; echo $$ >>orphan.pid; "
          "(trap \"\" TERM; exec tail -f /dev/null) & wait' &\n"
          "while [ ! -s orphan.pid ]; do :; done\n")


class HandlerTree(StintTest):
    def orphans(self):
        """Live processes that a handler left: tail and the shells of the scripts."""
        return [p for p in procs.marked(self.mark)
                if procs.comm(p) in ("tail", "sh", "stubborn", "leaver")]

    def test_timeout_terminates_then_kills_the_whole_tree(self):
        self.ledger_script("stubborn", 'trap "echo TERM >>got" TERM\n' + ORPHAN +
                           "while :; do tail -f /dev/null & wait $!; done\n")
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./stubborn\n"
                    "timeout = 700ms\ngrace = 300ms\nmax_attempts = 2\nbackoff = 1ms\n")
        self.stint("add", "j", "k")
        pool = self.pool("--drain")
        row = self.wait_status("k", "s", "exhausted")
        self.assertEqual(row["attempts"], 2)
        wait_until(lambda: pool.process.poll() is not None, "drained")
        self.assertEqual(self.orphans(), [])
        with open(self.path("got"), encoding="utf-8") as f:
            self.assertIn("TERM", f.read())
        for event in self.events("attempt.failed", "k"):
            self.assertIn("timeout", event["data"]["how"] + event["data"]["why"])
        self.assertGreaterEqual(row["elapsed_ms"], 700)

    def test_term_within_grace_is_enough_for_a_polite_handler(self):
        self.script("polite", 'trap "echo bye >>got; exit 0" TERM\ntail -f /dev/null & wait\n')
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./polite\n"
                    "timeout = 500ms\ngrace = 60s\nmax_attempts = 1\n")
        self.stint("add", "j", "k")
        self.stint("run", "--drain", code=1)
        with open(self.path("got"), encoding="utf-8") as f:
            self.assertEqual(f.read(), "bye\n")
        self.assertEqual(self.run_of("k")["status"], "exhausted")

    def test_leftover_grandchild_does_not_block_the_end(self):
        self.script("leaver", ORPHAN + 'echo "{\\"ok\\": true}"\n')
        self.config("[job j]\nstages = s t\n[stage j.s]\nhandler = exec ./leaver\n"
                    "[stage j.t]\nhandler = exec ./check\n")
        # When the next stage runs, nothing of the one before is alive: kill first, then commit.
        self.script("check", 'read -r _ _ state _ 2>/dev/null </proc/"$(cat orphan.pid)"/stat || '
                             'exit 0; [ "$state" = Z ] || exit 65')
        self.stint("add", "j", "k")
        self.stint("run", "--drain")
        self.assertEqual(self.statuses("k"), {"s": "done", "t": "done"})
        self.assertEqual(self.result_of("k", "s"), {"ok": True})
        self.assertEqual(self.orphans(), [])

    def test_handler_that_closes_its_output_early_is_still_awaited(self):
        self.script("closer", 'echo early\nexec >&- 2>&-\ntail -f /dev/null & '
                              'kill $!; wait\necho late >late\n')
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./closer\n")
        self.stint("add", "j", "k")
        self.stint("run", "--drain")
        with open(self.path("late"), encoding="utf-8") as f:
            self.assertEqual(f.read(), "late\n")
        self.assertEqual(self.result_of("k", "s").strip(), "early")

    def test_handler_that_reads_no_input_and_much_data(self):
        big = '{"blob": "' + "x" * 900_000 + '"}'
        self.script("deaf", "exec true")
        self.script("reader", "wc -c")
        self.config("[job deaf]\nstages = s\n[stage deaf.s]\nhandler = exec ./deaf\n"
                    "[job reader]\nstages = s\n[stage reader.s]\nhandler = exec ./reader\n")
        self.write("big.json", big)
        self.stint("add", "deaf", "d", "--data", "@big.json")
        self.stint("add", "reader", "r", "--data", "@big.json")
        self.stint("run", "--drain")
        self.assertEqual(self.run_of("d")["status"], "done")
        self.assertGreater(int(self.result_of("r", "s")), 900_000)

    def test_endless_output_is_cut_and_ended(self):
        self.script("endless", "exec yes")
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./endless\n"
                    "output_size = 64K\nmax_attempts = 1\ntimeout = 5m\n")
        self.stint("add", "j", "k")
        self.stint("run", "--drain", code=1)
        self.assertIn(self.run_of("k")["status"], ("failed", "exhausted"))

    def test_output_that_is_no_text_becomes_no_broken_json(self):
        self.script("nul", "printf 'a\\000b\\377c'")
        self.config("[job j]\nstages = s\nmax_attempts = 1\n[stage j.s]\nhandler = exec ./nul\n")
        self.stint("add", "j", "k")
        done = self.stint("run", "--drain", code=None)
        self.assertIn(done.code, (0, 1))
        self.assertIn(self.run_of("k")["status"], ("done", "failed", "exhausted"))
        self.result_of("k", "s")  # parses

    def test_builtins(self):
        self.config("[job n]\nhandler = builtin noop\n[job s]\nhandler = builtin sleep 300ms\n"
                    "[job f]\nhandler = builtin fail out of luck\nmax_attempts = 1\n")
        for job in "nsf":
            self.stint("add", job, f"key-{job}")
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.run_of("key-n")["status"], "done")
        self.assertEqual(self.run_of("key-s")["status"], "done")
        self.assertGreaterEqual(self.run_of("key-s")["elapsed_ms"], 300)
        self.assertIn(self.run_of("key-f")["status"], ("failed", "exhausted"))
        self.assertIn("out of luck", self.run_of("key-f")["error"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
