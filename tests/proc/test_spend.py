"""What handlers spend, spawn and find limited: booked once, added with the outcome, held for all."""
import os
import subprocess
import unittest

import path  # noqa: F401
from messages import CONFIG, COUNT, SPAWN_2500, MessagesTest, items, say
from stint_test import BIN
from waiting import wait_until


class Costs(MessagesTest):
    def test_costs_are_events_once(self):
        self.drain(say(type="cost", usd=0.25, of="model-x") * 2
                   + say(type="cost", tokens=1830) + "exit 0")
        found = [e["data"] for e in self.events("cost", "k")]
        self.assertEqual([(c["cost_usd"], c["tokens"], c["of"], c["n"]) for c in found],
                         [(0.25, 0, "model-x", 1), (0.25, 0, "model-x", 2), (0, 1830, None, 3)])
        self.assertEqual(self.query("SELECT sum(cost_usd) AS usd FROM v_costs")[0]["usd"], 0.5)

    def test_costs_are_booked_while_it_runs_and_stay_when_the_worker_is_killed(self):
        self.prepare(COUNT + say(type="cost", usd=1) + "[ $n -ge 4 ] || " + self.gate())
        pool = self.pool()
        for n in (1, 2, 3):
            wait_until(lambda n=n: len(self.events("cost")) == n, f"cost {n}")
            self.kill_worker(pool)
        self.wait_status("k", "s", "done")
        pool.stop()
        found = [(e["data"]["claim"], e["data"]["n"]) for e in self.events("cost")]
        self.assertEqual(len(found), 4)
        self.assertEqual(len(set(found)), 4)

    def test_costs_of_a_cancelled_run_are_recorded(self):
        self.prepare(say(type="cost", usd=2) + "touch here\n" + self.gate())
        pool = self.pool()
        wait_until(lambda: os.path.exists(self.path("here")), "the handler")
        self.stint("cancel", "-y", "job:j")
        wait_until(lambda: self.events("cost"), "its cost")
        pool.stop()
        self.assertEqual(self.run_of("k", "s")["status"], "cancelled")


class Spawn(MessagesTest):
    SPAWN = 'if [ "$STINT_ITEM" != k ]; then exit 0; fi\n'

    def rows(self):
        return {r["item_key"]: r for r in self.query("SELECT * FROM work_items")}

    def test_spawned_items_come_with_done(self):
        self.drain(self.SPAWN + say(type="spawn", items=[
            {"key": "a", "data": {"x": 1}, "priority": 7}, {"key": "b"}]) + say(type="done"))
        rows = self.rows()
        self.assertEqual(self.keys(), ["a", "b", "k"])
        self.assertEqual((rows["a"]["data"], rows["a"]["priority"], rows["a"]["source"],
                          rows["a"]["parent_id"], rows["a"]["depth"]),
                         ('{"x":1}', 7, "spawn", rows["k"]["id"], 1))
        self.assertEqual(rows["k"]["depth"], 0)

    def test_spawned_items_come_with_exit_status_0_and_with_skip(self):
        self.drain(self.SPAWN + say(type="spawn", items=items("a")) + "exit 99")
        self.assertEqual(self.keys(), ["a", "k"])

    def test_nothing_comes_of_an_attempt_that_dies(self):
        row = self.drain(self.SPAWN + say(type="spawn", items=items("a")) + "kill -9 $$", code=1)
        self.assertEqual((row["status"], self.keys()), ("exhausted", ["k"]))

    def test_what_a_checkpoint_covers_comes_with_it(self):
        row = self.drain(self.SPAWN + say(type="spawn", items=items("a"))
                         + say(type="checkpoint", data=1) + say(type="spawn", items=items("b")) + "kill -9 $$", code=1)
        self.assertEqual((row["status"], self.keys()), ("exhausted", ["a", "k"]))

    def test_other_jobs(self):
        self.drain(self.SPAWN + say(type="spawn", items=items("o", job="other")) + say(type="done"),
                   config=CONFIG + "[job other]\nhandler = builtin noop\n")
        self.assertEqual(self.keys("other"), ["o"])

    def test_an_unknown_job_fails_the_attempt(self):
        row = self.drain(self.SPAWN + say(
            type="spawn", items=items("a") + items("o", job="nowhere")) + say(type="done"), code=1)
        self.assertEqual((row["status"], self.keys()), ("failed", ["k"]))
        self.assertEqual(row["error"],
                         'spawned item o: there is no job "nowhere" in the configuration')

    def test_depth_is_bounded(self):
        self.prepare('printf \'{"type":"spawn","items":[{"key":"%s"}]}\\n\' "${STINT_ITEM}x" >&3',
                     CONFIG.replace("stages = s", "stages = s\nmax_depth = 3"))
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.keys(), ["k", "kx", "kxx", "kxxx"])
        self.assertEqual(self.run_of("kxxx", "s")["error"],
                         "spawned items would be at depth 4; max_depth of [job j] is 3")

    def test_growth_is_bounded(self):
        row = self.drain(self.SPAWN + say(type="spawn", items=items(*"abcde"))
                         + say(type="done"), code=1, config=CONFIG.replace("stages = s", "stages = s\nmax_spawn = 4"))
        self.assertEqual((row["status"], row["error"], self.keys()), (
            "failed", "5 items spawned; max_spawn of [job j] is 4", ["k"]))

    def test_many_come_in_bites(self):
        self.prepare(self.SPAWN + SPAWN_2500
                     + say(type="checkpoint", data="all") + self.gate())
        pool = self.pool()
        wait_until(lambda: self.run_of("k", "s")["checkpoint"], "the checkpoint")
        self.assertEqual(self.value("SELECT count(*) FROM work_items"), 2501)
        self.assertEqual(self.run_of("k", "s")["status"], "in_progress")
        self.open_gate()
        pool.stop()

    def counted(self, key):
        try:
            with open(self.path(f"count.{key}"), encoding="utf-8") as f:
                return int(f.read() or 0)
        except FileNotFoundError:
            return 0

    def test_many_with_kills_come_all_and_once(self):
        self.config(CONFIG)
        self.script("handler", self.SPAWN + SPAWN_2500
                    + COUNT + "[ $n -ge 4 ] || " + self.gate())
        self.stint("add", "j", "k")
        pool = self.pool()
        for n in range(3):
            wait_until(lambda n=n: self.run_of("k", "s")["interruptions"] == n, f"attempt {n}")
            wait_until(lambda: self.value("SELECT count(*) FROM work_items") >= 2001, "its bites")
            wait_until(lambda n=n: self.counted("k") == n + 1, "the attempt has counted itself")
            self.kill_worker(pool)
        self.wait_status("k", "s", "done")
        self.assertEqual(self.value("SELECT count(*) FROM work_items"), 2501)
        wait_until(lambda: self.value(
            "SELECT count(*) FROM item_stages WHERE status = 'done'") == 2501, "all done", 120)
        pool.stop()
        self.assertEqual(self.value("SELECT max(attempts) FROM item_stages"), 1)


PACED = ("[resource api]\nrate = 1000/s\nburst = 100\n" + CONFIG.replace(
    "handler =", "resource = api\nhandler ="))


def has_crash_points():
    return subprocess.run(["grep", "-q", "STINT_CRASH_TOKENS", f"{BIN}/stint-worker"],
                          check=False).returncode == 0


@unittest.skipUnless(has_crash_points(), "built without -Dcrash_points=true")
class Crashes(MessagesTest):
    """Workers that die before and after the commit of what a handler said."""

    def die_at(self, point, body, times=3, **prepare):
        tokens = self.path("tokens")
        os.makedirs(tokens)
        for i in range(times):
            self.write(f"tokens/{point}-{i}", "")
        self.prepare(body, **prepare)
        pool = self.pool(env={"STINT_CRASH_POINT": point, "STINT_CRASH_TOKENS": tokens})
        return pool, tokens

    def test_spawned_items_and_done_both_or_neither(self):
        for point in ("outcome.before_commit", "outcome.after_commit"):
            with self.subTest(point=point):
                pool, tokens = self.die_at(point, Spawn.SPAWN + say(
                    type="spawn", items=items(*"abcdefgh")) + say(type="done"))
                seen = set()

                def look():
                    row = self.query(
                        "SELECT (SELECT count(*) FROM work_items WHERE parent_id > 0) AS n,"
                        " (SELECT status FROM item_stages ORDER BY id LIMIT 1) AS status")[0]
                    seen.add((row["n"], row["status"] == "done"))
                    return not os.listdir(tokens) and self.value(
                        "SELECT count(*) FROM item_stages WHERE status = 'done'") == 9
                wait_until(look, "all done, and all deaths died")
                pool.stop()
                self.assertLessEqual(seen, {(0, False), (8, True)})
                self.forget()

    def test_costs_and_bites_come_once(self):
        for point in ("note.before_commit", "note.after_commit"):
            with self.subTest(point=point):
                pool, tokens = self.die_at(point, Spawn.SPAWN + say(
                    type="cost", usd=1) + SPAWN_2500 + say(type="done"))
                wait_until(lambda: not os.listdir(tokens) and self.value(
                    "SELECT count(*) FROM item_stages WHERE status = 'done'") == 2501, "all done")
                pool.stop()
                costs = self.query("SELECT claim, n FROM v_costs")
                self.assertEqual(len(costs), len({tuple(c.values()) for c in costs}))
                self.assertLessEqual(len(costs), 4)
                self.assertEqual(self.value("SELECT count(*) FROM work_items"), 2501)
                self.forget()

    def test_a_hold_outlives_who_said_it(self):
        # Once: a later hold that is hardly longer is not written again.
        pool, tokens = self.die_at("hold.after_commit", say(
            type="limit", retry_after=0.3) + say(type="done"), times=1, config=PACED)
        wait_until(lambda: not os.listdir(tokens) and self.value(
            "SELECT count(*) FROM item_stages WHERE status = 'done'") == 1, "done in the end")
        pool.stop()
        self.assertEqual(self.value("SELECT interruptions FROM item_stages"), 1)
        self.assertEqual(self.value("SELECT attempts FROM item_stages"), 1)
        self.assertTrue(self.events("resource.held"))

    def forget(self):
        os.rmdir(self.path("tokens"))
        for name in os.listdir(self.dir):
            if name.startswith("stint.db"):
                os.remove(self.path(name))


class Limit(MessagesTest):
    def held(self, pool):
        rows = self.stint("resources", "--json").rows
        return rows[0]["held_until"]

    def test_a_limit_holds_everybody_and_survives_a_kill_of_the_pool(self):
        self.prepare(say(type="limit", retry_after="1h") + say(type="retry", why="HTTP 429"),
                     PACED, workers=8)
        self.stint("add", "j", *[f"k{n}" for n in range(200)])
        pool = self.pool()
        wait_until(lambda: self.held(pool), "the hold")
        # Whoever had its token before the hold still claims.
        wait_until(lambda: self.stint("resources", "--json").rows[0]["waiting"] == 8, "all asleep")
        snoozed = self.value("SELECT sum(snoozes) FROM item_stages")
        self.assertLessEqual(snoozed, 8) # those that had begun by then
        pool.kill_all()
        pool.process.wait()
        again = self.pool()
        self.assertTrue(self.held(again))
        self.assertEqual(self.value("SELECT sum(snoozes) FROM item_stages"), snoozed)
        again.stop()
        self.assertEqual({e["data"]["resource"] for e in self.events("resource.held")}, {"api"})

    def test_it_ends_by_time(self):
        row = self.drain(COUNT + "[ $n -ge 3 ] || {\n" + say(
            type="limit", resource="api", retry_after=0.3) + say(type="retry", why="429") + "}", config=PACED)
        self.assertEqual((row["status"], row["attempts"], row["snoozes"]), ("done", 1, 2))

    def test_an_unknown_resource_fails_the_attempt(self):
        row = self.drain(say(type="limit", resource="apo", retry_after=1), code=1,
                         config=PACED)
        self.assertEqual((row["status"], row["error"]), (
            "failed", 'limit of resource "apo": there is no section [resource apo] in the'
            ' configuration'))


class Show(MessagesTest):
    def test_show_says_what_was_said(self):
        self.drain(COUNT + "[ $n -ge 2 ] || { " + say(type="snooze", after=0) + "exit; }\n"
                   + say(type="progress", done=1200, total=4000)
                   + say(type="checkpoint", data={"at": 7})
                   + say(type="cost", usd=0.25, tokens=1500) * 2 + say(type="fail", why="no"), code=1)
        text = self.stint("show", "j", "k").out
        self.assertIn('s: progress 1,200 done, 4,000 total; snoozed 1 time; checkpoint {"at":7}', text)
        self.assertIn("cost: 0.5 usd, 3,000 tokens (said 2 times)", text)
        stage = self.stint("show", "j", "k", "--json").json["stages"][0]
        self.assertEqual((stage["progress"], stage["checkpoint"]),
                         ({"done": 1200, "total": 4000}, {"at": 7}))


class Logs(MessagesTest):
    def test_log_messages_are_kept_with_a_failure(self):
        self.drain(say(type="log", level="warn", text="no charset given") + "exit 65", code=1)
        self.assertIn("warn: no charset given", self.events("attempt.failed")[0]["data"]["log"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
