"""Several runs in flight in one resident: new ones join, each ends by itself."""
import signal
import unittest

import path  # noqa: F401
from residents import SELDOM, ResidentTest
from waiting import wait_until


class Concurrency(ResidentTest):
    def test_answers_in_any_order(self):
        self.job("concurrency = 10\n", "threads=1")
        self.add(**{f"k{n}": {"wait": 0.3 - 0.03 * n} for n in range(10)})
        self.stint("run", "--drain")
        self.assertEqual({r["attempts"] for r in self.runs()}, {1})
        for n in range(10):
            self.assertEqual(self.result_of(f"k{n}", "j")["key"], f"k{n}")
        self.assertEqual(len(self.noted("start")), 1)

    def test_new_work_joins_what_is_in_flight(self):
        self.job("concurrency = 3\n", **SELDOM)
        self.add(a={"act": "hang"})
        pool = self.pool()
        wait_until(lambda: len(self.noted("run")) == 1, "a runs")
        self.add(b={}, c={})
        self.wait_status("c", "j", "done")
        self.assertEqual(self.run_of("a")["status"], "in_progress")
        pool.signal(signal.SIGQUIT)
        pool.wait()
        self.assertEqual(self.run_of("a")["attempts"], 0)
        self.assertEqual(self.noted("cancel")[0][2], "1")

    def test_spawned_bites_join_what_is_in_flight(self):
        self.script("parent.sh", "seq 1100 | "
                    """sed 's/.*/{"type":"spawn","items":[{"job":"j","key":"n&"}]}/' >&3\n"""
                    + self.gate())
        self.job("concurrency = 3\n\n[job parent]\nhandler = exec ./parent.sh\n",
                 **{**SELDOM, "workers": 2})
        self.add(a={"act": "hang"})
        pool = self.pool()
        wait_until(lambda: len(self.noted("run")) == 1, "a runs")
        self.stint("add", "parent", "p")
        # The keeper looks at everything every 30 s: sooner, only a kick can be the reason.
        wait_until(lambda: len(self.noted("run")) > 100, "what p spawned runs beside a", 20)
        self.assertEqual(self.run_of("p")["status"], "in_progress")
        self.open_gate()
        self.wait_status("p", "parent", "done")
        pool.signal(signal.SIGQUIT)
        pool.wait()

    def test_due_retries_join_what_is_in_flight(self):
        self.job("concurrency = 3\n", attempts=9, **SELDOM)
        self.add(a={"act": "hang"}, b={"act": "retry"})
        pool = self.pool()
        self.wait_status("b", "j", "exhausted")
        self.assertEqual(len(self.noted("start")), 1)
        pool.signal(signal.SIGQUIT)
        pool.wait()

    def test_pause_returns_while_several_are_in_flight(self):
        self.job("concurrency = 5\n")
        self.add(**{f"k{n}": {"act": "hang"} for n in range(5)})
        pool = self.pool()
        wait_until(lambda: len(self.noted("run")) == 5, "all run")
        self.assertEqual(pool.workers()[0]["runs"], 5)
        self.assertIn("and 4 more", self.stint("workers").out)
        self.stint("pause", "j")
        self.add(late={})
        self.assertEqual(self.run_of("late")["status"], "pending")
        pool.signal(signal.SIGQUIT)
        pool.wait()
        self.assertEqual(len(self.noted("run")), 5)

    def test_timeout_of_one_asks_it_to_give_up(self):
        self.job("concurrency = 3\ntimeout = 300ms\ngrace = 20s\n", "polite=1", 1)
        self.add(a={"act": "hang"}, b={})
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.all_statuses(), {"a": "exhausted", "b": "done"})
        self.assertIn("timeout", self.run_of("a")["error"])
        self.assertEqual(len(self.noted("start")), 1)

    def test_who_does_not_give_up_takes_the_process_along(self):
        self.job("concurrency = 3\ngrace = 10ms\n", attempts=1)
        self.add(a={"act": "hang"}, b={"act": "once"}, c={"act": "once"})
        pool = self.pool("--drain")
        wait_until(lambda: len(self.noted("run")) == 3, "all run")
        self.stint("cancel", "-y", "job:j", "key:a")
        pool.wait()
        self.assertEqual(self.all_statuses(), {"a": "cancelled", "b": "done", "c": "done"})
        self.assertEqual({self.run_of(k)["attempts"] for k in "bc"}, {1})
        self.assertEqual({self.run_of(k)["interruptions"] for k in "bc"}, {1})

    def test_who_does_not_give_up_in_time_is_ended(self):
        self.job("timeout = 300ms\ngrace = 10ms\n", attempts=1)
        self.add(a={"act": "hang"}, b={})
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.all_statuses(), {"a": "exhausted", "b": "done"})
        self.assertIn("timeout", self.run_of("a")["error"])
        self.assertEqual(len(self.noted("start")), 2)

    def test_cancel_reaches_the_one(self):
        self.job("concurrency = 3\n", "polite=1")
        self.add(a={"act": "hang"}, b={"act": "hang"})
        pool = self.pool()
        wait_until(lambda: len(self.noted("run")) == 2, "both run")
        self.stint("cancel", "-y", "job:j", "key:a")
        wait_until(lambda: self.noted("cancel"), "told")
        self.assertEqual([line[2] for line in self.noted("cancel")], ["1"])
        self.assertEqual(self.all_statuses(), {"a": "cancelled", "b": "in_progress"})
        pool.signal(signal.SIGQUIT)
        pool.wait()

    def test_crash_with_several_in_flight(self):
        self.job("concurrency = 10\n", "threads=1")
        self.add(**{f"k{n}": {"wait": 0.2} for n in range(9)}, poison={"act": "die", "wait": 0.1})
        self.stint("run", "--drain", code=1)
        found = self.all_statuses()
        self.assertEqual(found.pop("poison"), "exhausted")
        self.assertEqual(set(found.values()), {"done"})
        self.assertEqual({r["attempts"] for r in self.runs() if r["key"] != "poison"}, {1})
        self.assertEqual(self.run_of("poison")["attempts"], 2)
        self.assertIn("signal 9", self.run_of("poison")["error"])
        self.assertEqual(self.value("SELECT sum(suspect) FROM item_stages WHERE status = 'done'"), 0)


if __name__ == "__main__":
    unittest.main()
