"""Exec handlers with batch: several items in one process, each with an outcome of its own."""
import json
import os
import signal
import unittest

import path  # noqa: F401
import procs
from batches import BatchTest
from waiting import wait_until


class Test(BatchTest):
    def add(self, **items):
        """KEY=DATA each, in this order."""
        lines = "".join(json.dumps({"key": k, "data": v}) + "\n" for k, v in items.items())
        self.stint("add", "j", "--from", "-", stdin=lines)

    def drain(self, code=0, **items):
        self.add(**items)
        self.stint("run", "--drain", code=code)


class Answers(Test):
    def test_so_many_come_at_once(self):
        self.job()
        self.drain(**{f"k{n:02}": {} for n in range(25)})
        self.assertEqual(set(self.all_statuses().values()), {"done"})
        self.assertEqual([len(keys) for keys in self.batches()], [10, 10, 5])
        self.assertEqual(self.result_of("k17", "j")["key"], "k17")
        self.assertEqual(set(self.all_attempts().values()), {1})

    def test_max_claim_bounds_it(self):
        self.job(lines="max_claim = 4\n")
        self.drain(**{f"k{n}": {} for n in range(10)})
        self.assertEqual([len(keys) for keys in self.batches()], [4, 4, 2])

    def test_each_has_its_own_outcome(self):
        self.job()
        self.drain(a={}, b={"act": "fail"}, c={"act": "skip"}, d={"act": "retry"}, code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "failed", "c": "skipped",
                                               "d": "exhausted"})
        self.assertEqual(self.run_of("d")["error"], "retry of d")
        self.assertEqual(self.batches(), [["a", "b", "c", "d"], ["d"]])

    def test_one_for_all_that_have_none(self):
        self.job()
        self.drain(a={"act": "fail"}, b={"act": "none"}, c={"act": "all"}, code=1)
        self.assertEqual(self.all_statuses(), {"a": "failed", "b": "done", "c": "done"})
        self.assertEqual(self.result_of("b", "j"), "of all")

    def test_what_it_is_told(self):
        self.script("b.py", 'env > env\ncat > request\necho \'{"type":"done"}\' >&3')
        self.job(batch=2, lines="version = 7\n")
        self.drain(a={})
        with open(self.path("request"), encoding="utf-8") as f:
            request = json.load(f)
        with open(self.path("env"), encoding="utf-8") as f:
            env = dict(line.rstrip("\n").split("=", 1) for line in f if "=" in line)
        self.assertEqual(sorted(request), ["deadline_ms", "id", "items", "job", "stage", "type",
                                           "version"])
        self.assertEqual([i["key"] for i in request["items"]], ["a"])
        self.assertEqual(env["STINT_CONTROL_FD"], "3")
        self.assertEqual({n for n in env if n.startswith("STINT_")} &
                         {"STINT_ITEM", "STINT_ATTEMPT", "STINT_CLAIM"}, set())

    def test_shell(self):
        self.config("[job j]\nhandler = shell cat >/dev/null; echo '{\"type\":\"done\"}' >&3\n"
                    "batch = 5\n", workers=1)
        self.drain(a={}, b={})
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "done"})

    def test_standard_output_is_no_result(self):
        self.job(attempts=1, lines="output_size = 1K\n")
        self.drain(a={"print": 3000000}, b={"act": "fail"}, code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "failed"})
        self.assertEqual(self.result_of("a", "j")["key"], "a")
        data = self.events("attempt.failed", "b")[0]["data"]
        self.assertEqual(data["stdout"], "x" * 4096)
        self.assertEqual(data["stderr"], "last words\n")
        self.assertEqual(data["handler"]["exit"], 0)

    def test_messages_about_others_are_dropped_and_logged(self):
        self.job()
        self.add(a={"act": "stray"}, b={})
        pool = self.pool("--drain")
        self.assertEqual(pool.wait(), 0)
        self.assertEqual(self.result_of("a", "j")["key"], "a")
        self.assertEqual(pool.log().count("event=handler.stray"), 1)
        self.assertIn("key=elsewhere", pool.log())

    def test_costs_and_spawned_items_are_of_their_items(self):
        self.job(batch=2)
        self.drain(a={"act": "spend"}, b={"act": "spend"})
        spent = self.query("SELECT item_key, cost_usd FROM v_costs ORDER BY item_key")
        self.assertEqual([(row["item_key"], row["cost_usd"]) for row in spent],
                         [("a", 0.5), ("b", 0.5)])
        for key in "ab":
            child = self.stint("show", "j", f"child of {key}", "--json").json
            self.assertEqual((child["parent_key"], child["status"]), (key, "done"))

    def test_a_limit_is_every_ones(self):
        self.job(attempts=1, lines="resource = api\n[resource api]\nrate = 1000/s\n")
        self.add(a={"act": "limit"}, b={"act": "retry"})
        pool = self.pool()
        wait_until(lambda: self.run_of("a")["snoozes"] > 1 and self.run_of("b")["snoozes"] > 1,
                   "given back")
        pool.stop()
        self.assertEqual(self.all_attempts(), {"a": 0, "b": 0})


class Unanswered(Test):
    def test_exit_0_is_a_retry_of_the_missing(self):
        self.job()
        self.drain(a={}, b={"act": "none"}, c={}, code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "exhausted", "c": "done"})
        self.assertEqual(self.all_attempts(), {"a": 1, "b": 2, "c": 1})
        self.assertIn('no outcome was said for "b"', self.run_of("b")["error"])
        self.assertEqual(self.batches(), [["a", "b", "c"], ["b"]])

    def test_a_permanent_status_is_about_all_that_have_none(self):
        self.job()
        self.drain(a={}, b={"act": "none"}, c={"act": "leave", "status": 65}, d={}, code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "failed", "c": "failed",
                                               "d": "failed"})
        self.assertEqual(len(self.batches()), 1)

    def test_so_is_a_skip_and_one_of_the_stages_own(self):
        self.job(lines="exit.9 = skip\n")
        self.drain(a={}, b={"act": "leave", "status": 9}, c={})
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "skipped", "c": "skipped"})

    def test_a_pausing_status_gives_them_back(self):
        self.job()
        self.add(a={}, b={"act": "leave", "status": 77}, c={})
        pool = self.pool()
        wait_until(lambda: self.events("stage.paused"), "paused")
        wait_until(lambda: "in_progress" not in self.all_statuses().values(), "given back")
        pool.stop()
        self.assertEqual(self.all_attempts(), {"a": 1, "b": 0, "c": 0})
        self.assertEqual(len(self.events("stage.paused")), 1)
        self.assertEqual(self.value("SELECT trial FROM pauses"), 1)

    def test_no_program(self):
        self.job()
        os.unlink(self.path("b.py"))
        self.add(a={}, b={}, c={})
        pool = self.pool()
        wait_until(lambda: self.events("stage.paused"), "paused")
        wait_until(lambda: "in_progress" not in self.all_statuses().values(), "given back")
        pool.stop()
        self.assertEqual(set(self.all_attempts().values()), {0})

    def test_the_last_one_has_done_it(self):
        self.job()
        self.drain(a={}, b={"act": "leave", "status": 3}, code=1)
        self.assertEqual(self.all_attempts(), {"a": 1, "b": 2})
        self.assertEqual(self.run_of("b")["interruptions"], 0)


class Crashes(Test):
    def test_only_the_poison_pays(self):
        self.job(attempts=3)
        self.drain(**{f"k{n:02}": {"act": "die"} if n == 37 else {} for n in range(100)}, code=1)
        poison = self.run_of("k37")
        self.assertEqual((poison["status"], poison["attempts"]), ("exhausted", 3))
        self.assertIn("signal 9", poison["error"])
        rest = [r for r in self.runs() if r["key"] != "k37"]
        self.assertEqual({(r["status"], r["attempts"], r["suspect"]) for r in rest},
                         {("done", 1, 0)})
        self.assertEqual(self.events("attempt.failed", "k37")[0]["data"]["handler"]["signal"], 9)
        self.assert_counts_exact()

    def test_a_status_that_retries_is_one_too(self):
        self.job(batch=4)
        self.drain(a={}, b={"act": "leave", "status": 75}, c={}, d={}, code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "exhausted", "c": "done",
                                               "d": "done"})
        self.assertEqual(self.all_attempts(), {"a": 1, "b": 2, "c": 1, "d": 1})
        self.assertEqual(self.batches()[0], ["a", "b", "c", "d"])
        self.assertEqual({len(keys) for keys in self.batches()[1:]}, {1})

    def test_not_where_nothing_may_be_begun_twice(self):
        self.job(lines="retryable = no\n")
        self.drain(a={}, b={"act": "die"}, c={}, code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "failed", "c": "failed"})
        self.assertEqual(len(self.batches()), 1)

    def test_a_line_that_is_no_message(self):
        self.job()
        self.drain(a={}, b={"act": "garbage"}, c={"act": "none"}, code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "exhausted", "c": "exhausted"})
        self.assertIn("hello world", self.run_of("b")["error"])
        self.assertEqual(self.run_of("b")["suspect"], 1)  # it never took others along again
        self.assertEqual(self.all_attempts(), {"a": 1, "b": 2, "c": 2})
        self.assertEqual(self.batches()[0], ["a", "b", "c"])
        self.assertEqual({len(keys) for keys in self.batches()[1:]}, {1})

    def test_a_broken_message_fails_its_own_item(self):
        self.job()
        self.drain(a={}, b={"act": "nonsense"}, c={}, code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "exhausted", "c": "done"})
        self.assertIn('"why": 7', self.run_of("b")["error"])
        self.assertEqual(self.all_attempts(), {"a": 1, "b": 2, "c": 1})

    def test_what_is_refused_fails_its_own_item(self):
        self.job()
        self.drain(a={}, b={"act": "lost"}, c={}, code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "failed", "c": "done"})
        self.assertIn("nowhere", self.run_of("b")["error"])

    def test_a_limit_that_is_refused_is_not_of_those_that_are_done(self):
        self.job()
        self.drain(a={}, b={"act": "nores"}, c={}, code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "failed", "c": "done"})
        self.assertIn("nores", self.run_of("b")["error"])

    def test_a_spawned_item_of_nobody_is_not_lost(self):
        self.job()
        self.drain(a={}, b={"act": "foundling"}, c={})
        self.assertEqual(set(self.all_statuses().values()), {"done"})
        self.assertIn("child of b", self.all_statuses())
        self.assertEqual(self.batches()[0], ["a", "b", "c"])
        self.assertEqual(set(self.all_attempts().values()), {1})

    def test_a_wait_of_all(self):
        self.job()
        self.add(a={"act": "none"}, b={"act": "none"}, c={"act": "wait"})
        pool = self.pool()
        for key in "abc":
            wait_until(lambda key=key: self.run_of(key)["snoozes"] == 1, f"{key} waits")
        self.wait_status("other", "j", "done")
        pool.stop()
        self.assertEqual({r["interruptions"] for r in self.runs()}, {0})

    def test_a_refused_limit_after_all_outcomes_is_dropped(self):
        self.job()
        self.drain(a={}, b={}, c={"act": "trail"})
        self.assertEqual(set(self.all_statuses().values()), {"done"})

    def test_a_key_that_is_null_is_not_all_of_them(self):
        self.job()
        self.drain(a={}, b={"act": "null"}, c={"act": "fail"}, code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "done", "c": "failed"})
        self.assertEqual(self.batches(), [["a", "b", "c"], ["b"], ["c"]])

    def test_one_that_kills_its_worker_is_found(self):
        self.job()
        self.add(a={}, b={"act": "murder"}, c={}, d={})
        pool = self.pool()
        for key in "acd":
            self.wait_status(key, "j", "done")
        pool.stop()
        self.assertNotEqual(self.run_of("b")["status"], "done")
        self.assertLessEqual(max(self.run_of(key)["interruptions"] for key in "acd"), 2)

    def test_timeout(self):
        self.job(attempts=1, lines="timeout = 500ms\n")
        self.drain(a={}, b={"act": "hang"}, code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "exhausted"})
        self.assertIn("timeout after 500 ms", self.run_of("b")["error"])
        self.assertEqual(self.all_attempts(), {"a": 1, "b": 1})

    def test_timeout_with_several_unanswered(self):
        self.job(attempts=1, lines="timeout = 500ms\n")
        self.drain(a={}, b={"act": "hang"}, c={}, d={}, code=1)
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "exhausted", "c": "done",
                                               "d": "done"})
        self.assertEqual(set(self.all_attempts().values()), {1})
        self.assertEqual({len(keys) for keys in self.batches()[1:]}, {1})

    def test_checkpoints_outlive_a_worker(self):
        self.job()
        self.add(a={"point": {"at": 1}}, b={"point": {"at": 2}}, c={"act": "once"})
        pool = self.pool()
        wait_until(lambda: os.path.exists(self.path("once-c")), "it hangs")
        wait_until(lambda: self.value("SELECT count(*) FROM item_stages WHERE checkpoint IS NOT"
                                      " NULL") == 2, "written")
        procs.kill(pool.worker_pids()[0])
        wait_until(lambda: set(self.all_statuses().values()) == {"done"}, "again")
        self.assertFalse(procs.is_alive(self.pids()[0]))
        pool.stop()
        self.assertEqual(self.result_of("b", "j")["checkpoint"], {"at": 2})
        self.assertEqual({(r["attempts"], r["interruptions"]) for r in self.runs()}, {(1, 1)})


class Kills(Test):
    def test_poison_among_a_thousand(self):
        self.job(batch=50, attempts=3, workers=4)
        self.drain(**{f"k{n:03}": {"act": "die"} if n == 500 else {} for n in range(1000)}, code=1)
        found = {(r["key"], r["status"], r["attempts"]) for r in self.runs()
                 if (r["status"], r["attempts"]) != ("done", 1)}
        self.assertEqual(found, {("k500", "exhausted", 3)})
        self.assert_counts_exact()

    def test_nothing_is_lost_or_charged_under_kills(self):
        self.job(batch=7, attempts=3, workers=3)
        self.add(**{f"k{n}": {"point": n} for n in range(300)}, poison={"act": "die"})
        pool = self.pool()
        for n in range(10):
            before = len(self.batches())
            for pid in pool.worker_pids()[:1 + n % 3]:
                procs.kill(pid)
            wait_until(lambda known=before: len(self.batches()) > known or not self.moving(),
                       "it goes on")
        wait_until(lambda: not self.moving(), "rest")
        pool.stop()
        found = self.all_statuses()
        self.assertEqual(found.pop("poison"), "exhausted")
        self.assertEqual(set(found.values()), {"done"})
        self.assertEqual({r["attempts"] for r in self.runs() if r["key"] != "poison"}, {1})
        self.assert_counts_exact()
        self.stint("db", "check")

    def moving(self):
        return self.value("SELECT count(*) FROM item_stages WHERE status IN"
                          " ('pending', 'in_progress', 'retry_later')")


class Orders(Test):
    def hang(self, **items):
        """A pool in which an item hangs behind those that are given."""
        self.job()
        self.add(**items, last={"act": "hang"})
        pool = self.pool()
        wait_until(lambda: os.path.exists(self.path("once-last")), "it hangs")
        return pool

    def test_stop_keeps_what_is_done(self):
        pool = self.hang(a={}, b={"act": "none"})
        pool.signal(signal.SIGQUIT)
        pool.wait()
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "pending", "last": "pending"})
        self.assertEqual(self.all_attempts(), {"a": 1, "b": 0, "last": 0})

    def test_cancel_of_all_that_is_open_ends_it(self):
        pool = self.hang(a={}, b={"act": "none"})
        self.stint("cancel", "-y", "job:j key:b")
        self.assertEqual(self.run_of("b")["status"], "cancelled")
        self.assertTrue(procs.is_alive(self.pids()[0]))
        self.stint("cancel", "-y", "job:j key:last")
        wait_until(lambda: not procs.is_alive(self.pids()[0]), "killed")
        self.wait_status("a", "j", "done")
        pool.stop()
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "cancelled",
                                               "last": "cancelled"})
        self.assertEqual(self.batches(), [["a", "b", "last"]])

    def test_cancel_of_one_costs_the_others_nothing(self):
        os.mkfifo(self.path("fifo"))
        self.job()
        self.add(a={}, b={"act": "fifo"}, c={}, d={})
        pool = self.pool()
        wait_until(lambda: os.path.exists(self.path("at-fifo")), "in the middle")
        self.stint("cancel", "-y", "job:j key:d")
        with open(self.path("fifo"), "w", encoding="utf-8"):
            pass
        wait_until(lambda: "in_progress" not in self.all_statuses().values(), "rest")
        pool.stop()
        self.assertEqual(self.all_statuses(), {"a": "done", "b": "done", "c": "done",
                                               "d": "cancelled"})
        self.assertEqual(self.batches(), [["a", "b", "c", "d"]])
        self.assertEqual(self.events("attempt.given_back"), [])

    def test_pause_returns_while_it_runs(self):
        pool = self.hang(a={}, b={})
        self.assertEqual(pool.workers()[0]["runs"], 3)
        self.stint("pause", "j")
        pool.signal(signal.SIGQUIT)
        pool.wait()

    def test_text_is_shown_as_it_comes(self):
        self.script("b.py", "cat >/dev/null\necho from out\necho from err >&2\n"
                    ": > ready; sleep 1000")
        self.job()
        self.add(a={}, b={})
        pool = self.pool()
        wait_until(lambda: os.path.exists(self.path("ready")), "ready")
        wait_until(lambda: "from out" in self.stint("logs", "job:j").out, "shown")
        self.assertIn("from err", self.stint("logs", "job:j").out)
        pool.signal(signal.SIGQUIT)
        pool.wait()

    def test_try(self):
        self.job()
        found = self.stint("try", "j", "k", "--data", '{"act":"stray"}', "--json").rows
        request = next(row["request"] for row in found if row["event"] == "request")
        self.assertEqual([i["key"] for i in request["items"]], ["k"])
        # Of one item alone the worker asks for no key: the first outcome is its own.
        faults = [row.get("doubt") for row in found if row["event"] == "message"]
        self.assertEqual(faults, ["the request has no item of this key",
                                  "without the key of its item, as a batch needs it",
                                  "said after the outcome: dropped"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
