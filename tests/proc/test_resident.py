"""Residents: one process that serves many runs; what it may say, and what becomes of them."""
import os
import signal
import unittest

import path  # noqa: F401
import procs
from residents import ResidentTest
from waiting import wait_until


class Answers(ResidentTest):
    def test_one_process_serves_many(self):
        self.job()
        self.add(**{f"k{n}": {} for n in range(30)})
        self.stint("run", "--drain")
        self.assertEqual(set(self.all_statuses().values()), {"done"})
        self.assertEqual(len(self.noted("start")), 1)
        self.assertEqual(len(self.noted("end")), 1)
        self.assertEqual(self.result_of("k7", "j")["key"], "k7")
        self.assertEqual({r["attempts"] for r in self.runs()}, {1})

    def test_outcomes(self):
        self.job()
        self.add(a={"act": "fail"}, b={"act": "skip"}, c={"act": "retry"}, d={})
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.all_statuses(), {"a": "failed", "b": "skipped", "c": "exhausted",
                                               "d": "done"})
        self.assertEqual(self.run_of("a")["error"], "fail of a")
        self.assertEqual(self.run_of("c")["attempts"], 2)

    def test_twice_and_stale_are_dropped_and_logged(self):
        self.job()
        self.add(a={"act": "twice"}, b={"act": "stale"}, c={})
        pool = self.pool("--drain")
        self.assertEqual(pool.wait(), 0)
        self.assertEqual(set(self.all_statuses().values()), {"done"})
        self.assertEqual(self.result_of("a", "j")["key"], "a")
        self.assertEqual({r["attempts"] for r in self.runs()}, {1})
        self.assertIn("resident.stale", pool.log())
        self.assertEqual(len(self.noted("start")), 1)

    def test_a_broken_message_fails_its_own_run(self):
        self.job("concurrency = 4\n")
        self.add(a={"act": "nonsense"}, b={"wait": 0.2}, c={})
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.all_statuses(), {"a": "exhausted", "b": "done", "c": "done"})
        self.assertIn('"why": 7', self.run_of("a")["error"])
        self.assertEqual(self.run_of("b")["attempts"], 1)
        self.assertEqual(len(self.noted("start")), 1)

    def test_garbage_ends_the_process(self):
        self.job()
        self.add(a={"act": "garbage"}, b={})
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.all_statuses(), {"a": "exhausted", "b": "done"})
        self.assertIn("hello world", self.run_of("a")["error"])
        self.assertEqual(self.run_of("a")["attempts"], 2)

    def test_a_spawn_without_an_id_is_not_lost(self):
        self.job(attempts=2)
        self.add(a={"act": "lost"}, b={})
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.run_of("a")["status"], "exhausted")
        self.assertIn("spawn without the id of its request", self.run_of("a")["error"])
        self.assertEqual(self.run_of("b")["status"], "done")

    def test_endless_line_ends_the_process(self):
        self.job()
        self.add(a={"act": "endless"}, b={})
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.all_statuses(), {"a": "exhausted", "b": "done"})
        self.assertIn("longer than", self.run_of("a")["error"])


class Batch(ResidentTest):
    def test_batches(self):
        self.job("batch = 10\n")
        self.add(**{f"k{n:02}": {} for n in range(25)})
        self.stint("run", "--drain")
        self.assertEqual(set(self.all_statuses().values()), {"done"})
        self.assertEqual([len(line) - 2 for line in self.noted("run")], [10, 10, 5])

    def test_a_missing_answer_is_its_own(self):
        self.job("batch = 4\ntimeout = 500ms\ngrace = 100ms\n")
        self.add(a={}, b={"act": "hang"}, c={"act": "fail"}, d={})
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "exhausted", "c": "failed",
                                               "d": "done"})
        self.assertEqual({self.run_of(k)["attempts"] for k in "acd"}, {1})

    def test_of_several_missing_ones_only_the_guilty_pays(self):
        self.job("batch = 4\ntimeout = 500ms\ngrace = 100ms\n", attempts=1)
        self.add(a={}, b={"act": "hang"}, c={"act": "once"}, d={"act": "once"})
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "exhausted", "c": "done",
                                               "d": "done"})
        self.assertEqual({r["attempts"] for r in self.runs()}, {1})

    def test_a_message_that_nobody_can_place_costs_the_others_nothing(self):
        self.job("batch = 4\n", attempts=1)
        for act, child in (("null", None), ("foundling", "child")):
            with self.subTest(act=act):
                keys = [f"{act}-{n}" for n in range(4)]
                self.add(**{key: {"act": act} if n == 1 else {} for n, key in enumerate(keys)})
                self.stint("run", "--drain")
                self.assertEqual({self.run_of(key)["status"] for key in keys}, {"done"})
                self.assertEqual({self.run_of(key)["attempts"] for key in keys}, {1})
                if child:
                    self.assertEqual(self.run_of(child)["status"], "done")

    def test_what_comes_behind_an_outcome_is_dropped(self):
        self.job("batch = 4\n", attempts=1)
        self.add(a={"act": "behind"}, b={}, c={})
        self.stint("run", "--drain")
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "done", "c": "done"})
        self.assertEqual(len(self.noted("run")), 1)

    def test_a_broken_message_is_a_failure_of_its_own_item(self):
        self.job("batch = 4\n", attempts=1)
        self.add(a={}, b={"act": "nonsense"}, c={})
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "exhausted", "c": "done"})
        self.assertEqual(len(self.noted("run")), 1)

    def test_a_wait_of_all(self):
        self.job("batch = 3\n")
        self.add(a={"wait": 30}, b={"wait": 30}, c={"act": "wait"})
        pool = self.pool()
        for key in "abc":
            wait_until(lambda key=key: self.run_of(key)["snoozes"] == 1, f"{key} waits")
        pool.stop()
        self.assertEqual({r["interruptions"] for r in self.runs()}, {0})

    def test_where_nothing_may_be_begun_twice_a_crash_fails_all(self):
        self.job("batch = 4\nretryable = no\n")
        self.add(a={}, b={"act": "die"}, c={})
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "failed", "c": "failed"})

    def test_only_the_poison_pays(self):
        self.job("batch = 10\n", attempts=3)
        self.add(**{f"k{n:02}": {"act": "die"} if n == 37 else {} for n in range(100)})
        self.stint("run", "--drain", code=1)
        poison = self.run_of("k37")
        self.assertEqual((poison["status"], poison["attempts"]), ("exhausted", 3))
        rest = [r for r in self.runs() if r["key"] != "k37"]
        self.assertEqual({(r["status"], r["attempts"]) for r in rest}, {("done", 1)})


class Start(ResidentTest):
    def assert_paused(self, words):
        pool = self.pool()
        wait_until(lambda: self.events("stage.paused"), "paused")
        self.assertIn(words, self.events("stage.paused")[0]["data"]["why"])
        wait_until(lambda: self.run_of("a")["status"] != "in_progress", "given back")
        self.assertEqual({r["attempts"] for r in self.runs()}, {0})
        self.assertEqual(self.value("SELECT count(*) FROM pauses WHERE paused = 1"), 1)
        pool.stop()

    def test_no_program(self):
        self.job()
        os.unlink(self.path("r.py"))
        self.add(a={}, b={})
        self.assert_paused("r.py")

    def test_it_ends_before_hello(self):
        self.job("", "hello=exit")
        self.add(a={}, b={})
        self.assert_paused("no database")

    def test_it_ends_right_behind_its_hello(self):
        self.job("", "hello=leave", attempts=1)
        self.add(a={})
        self.stint("run", "--drain", code=1)
        self.assertIn("ended without an answer", self.run_of("a")["error"])
        self.assertEqual(self.events("stage.paused"), [])

    def test_it_closes_its_output_and_ends_later(self):
        self.job()
        self.write("r.py", "#!/bin/sh\nexec >&-\nread -r line\nexit 3\n", 0o700)
        self.add(a={}, b={})
        self.assert_paused("exit 3")

    def test_no_hello(self):
        self.job("start_timeout = 300ms\n", "hello=none")
        self.add(a={}, b={})
        self.assert_paused("start_timeout")

    def test_garbage_for_hello(self):
        self.job("", "hello=garbage")
        self.add(a={}, b={})
        self.assert_paused("Welcome to my handler")

    def test_another_protocol(self):
        self.job("", "protocol=2")
        self.add(a={}, b={})
        self.assert_paused("protocol 2")

    def test_another_version(self):
        self.job("version = 7\n", "version=8")
        self.add(a={}, b={})
        self.assert_paused("version 8")

    def test_the_same_version(self):
        self.job("version = 7\n", "version=7")
        self.add(a={})
        self.stint("run", "--drain")


class Life(ResidentTest):
    def test_idle_is_ended(self):
        self.job("resident_idle = 100ms\n")
        self.add(a={})
        pool = self.pool()
        wait_until(lambda: self.noted("end"), "left")
        self.add(b={})
        self.wait_status("b", "j", "done")
        self.assertEqual(len(self.noted("start")), 2)
        pool.stop()

    def test_max_requests(self):
        self.job("max_requests = 4\n")
        self.add(**{f"k{n}": {} for n in range(10)})
        self.stint("run", "--drain")
        by_pid = {}
        for line in self.noted("run"):
            by_pid[line[0]] = by_pid.get(line[0], 0) + 1
        self.assertEqual(sorted(by_pid.values()), [2, 4, 4])

    def test_a_reload_replaces_it(self):
        self.job("env.COLOUR = red\n")
        self.add(a={})
        pool = self.pool()
        self.wait_status("a", "j", "done")
        worker = pool.worker_pids()
        self.job("env.COLOUR = blue\n")
        self.stint("reload")
        self.add(b={})
        self.wait_status("b", "j", "done")
        wait_until(lambda: len(self.noted("start")) == 2, "a new process")
        self.assertEqual(pool.worker_pids(), worker)
        self.assertEqual({r["attempts"] for r in self.runs()}, {1})
        pool.stop()

    def test_who_does_not_leave_is_ended(self):
        self.job("grace = 100ms\n", "linger=1")
        self.add(a={})
        self.stint("run", "--drain")
        self.assertEqual(len(self.noted("start")), 1)

    def test_crash_while_idle(self):
        self.job()
        self.add(a={})
        pool = self.pool()
        self.wait_status("a", "j", "done")
        procs.kill(int(self.noted("start")[0][0]))
        self.add(b={})
        self.wait_status("b", "j", "done")
        self.assertLessEqual(self.run_of("b")["attempts"], 2)
        pool.stop()

    def test_lanes_of_residents_and_programs(self):
        self.script("e", "cat >/dev/null\necho 1")
        self.config("[job j]\nstages = a b c\n[stage j.a]\nhandler = resident ./r.py\n"
                    "[stage j.b]\nhandler = exec ./e\n[stage j.c]\nhandler = resident ./r.py\n"
                    "batch = 3\n", workers=2)
        self.add(**{f"k{n}": {} for n in range(12)})
        self.stint("run", "--drain")
        self.assertEqual({r["status"] for r in self.runs()}, {"done"})
        self.assertEqual({r["attempts"] for r in self.runs()}, {1})

    def test_kill_of_the_worker_gives_all_back(self):
        self.job("concurrency = 100\n")
        self.add(**{f"k{n}": {"act": "hang"} for n in range(100)})
        pool = self.pool()
        wait_until(lambda: len(self.noted("run")) == 100, "all in flight")
        resident = int(self.noted("start")[0][0])
        procs.kill(pool.worker_pids()[0])
        wait_until(lambda: len(self.noted("run")) == 200, "all again")
        self.assertFalse(procs.is_alive(resident))
        self.assertEqual({(r["attempts"], r["interruptions"], r["suspect"]) for r in self.runs()},
                         {(1, 1, 0)})
        pool.signal(signal.SIGQUIT)
        pool.wait()
        self.assertEqual({(r["attempts"], r["status"]) for r in self.runs()}, {(0, "pending")})


class Many(ResidentTest):
    def test_a_thousand_in_flight(self):
        self.job("concurrency = 100\n", workers=10)
        self.add(**{f"k{n}": {"act": "hang"} for n in range(1000)})
        pool = self.pool()
        wait_until(lambda: len(self.noted("run")) == 1000, "all in flight")
        self.assertEqual(len({line[0] for line in self.noted("run")}), 10)
        self.assertEqual(sum(w["runs"] for w in pool.workers()), 1000)
        pool.signal(signal.SIGQUIT)
        pool.wait()
        self.assertEqual({(r["attempts"], r["status"]) for r in self.runs()}, {(0, "pending")})

    def test_nothing_is_lost_or_charged_under_kills(self):
        self.job("concurrency = 8\nbatch = 4\n", "threads=1", attempts=3, workers=3)
        self.add(**{f"k{n}": {"wait": 0.01 * (n % 7)} for n in range(400)},
                 poison={"act": "die"})
        pool = self.pool()
        for n in range(12):
            before = len(self.noted("run"))
            victims = pool.worker_pids() if n % 2 else \
                [int(line[0]) for line in self.noted("start")[-3:]]
            for pid in victims[:2]:
                procs.kill(pid)
            wait_until(lambda known=before: len(self.noted("run")) > known
                       or not self.moving(), "it goes on")
        wait_until(lambda: not self.moving(), lambda: f"rest: {self.rest()}")
        pool.stop()
        found = self.all_statuses()
        self.assertEqual(found.pop("poison"), "exhausted")
        self.assertEqual(set(found.values()), {"done"})
        self.assert_counts_exact()
        self.stint("db", "check")

    def moving(self):
        return self.value("SELECT count(*) FROM item_stages WHERE status IN"
                          " ('pending', 'in_progress', 'retry_later')")

    def rest(self):
        return [(r["key"], r["status"], r["attempts"]) for r in self.runs()
                if r["status"] != "done"]

    def test_max_memory(self):
        self.job("max_memory = 1M\n", heartbeat_interval="20ms")  # Python alone takes more
        self.add(a={})
        pool = self.pool()
        wait_until(lambda: self.noted("end"), "replaced")
        self.add(b={})
        self.wait_status("b", "j", "done")
        self.assertEqual({r["attempts"] for r in self.runs()}, {1})
        pool.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
