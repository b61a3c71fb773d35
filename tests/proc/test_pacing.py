"""Resources: rates that hold whoever is killed, tokens that are not lost, sleepers that wake.

Claims are counted by item_stages.started_at, and time is only ever an upper bound: how many claims
there may be between two of them.
"""
import json
import signal
import sqlite3
import time
import unittest

import path  # noqa: F401
import control
import procs
from stint_test import StintTest
from waiting import wait_until

DAY = "1/d"


class PacingTest(StintTest):
    """What all of these share: jobs that are paced, levels given by hand, claims counted."""

    def paced(self, resources, stages="s", uses="api", **pool):
        """RESOURCES: name → rate, or (rate, burst)."""
        lines = []
        for name, what in resources.items():
            rate, burst = what if isinstance(what, tuple) else (what, 0)
            lines += [f"[resource {name}]", f"rate = {rate}"] + [f"burst = {burst}"] * bool(burst)
        lines += ["[job j]", f"stages = {stages}"]
        for stage in stages.split():
            lines += [f"[stage j.{stage}]", "handler = builtin noop"]
            lines += [f"resource = {uses}"] if uses else []
        self.config("\n".join(lines) + "\n[job free]\nhandler = builtin noop\n", **pool)

    def items(self, count, job="j"):
        self.stint("add", job, "--from", "-",
                   stdin="".join(json.dumps({"key": f"k{n}"}) + "\n" for n in range(count)))

    def leave(self, **tokens):
        """As if a clean stop just now had left so many tokens."""
        for name, n in tokens.items():
            self.execute("INSERT INTO resource_levels VALUES (?, ?, ?)", name, int(n * 1e6),
                         int(time.time() * 1000))

    def resource(self, pool, name="api"):
        found = [json.loads(line) for line in control.ask(pool.socket, "resources").splitlines()]
        return next(r for r in found if r["name"] == name)

    def tokens(self, pool, name="api"):
        """Whole ones: at 1/d nothing is added while a test runs."""
        return int(self.resource(pool, name)["tokens"] + 0.01)

    def wait_tokens(self, pool, **wanted):
        """So many in the end: another worker may still have one in its hand."""
        for name, n in wanted.items():
            wait_until(lambda: self.tokens(pool, name) == n,  # noqa: B023
                       lambda: f"{n} tokens: {self.resource(pool, name)}")  # noqa: B023

    def claims(self):
        """Made in all, also those that were given back."""
        return self.value("SELECT SUM(attempts + interruptions) FROM item_stages r JOIN stages s"
                          " ON s.id = r.stage_id JOIN jobs j ON j.id = s.job_id"
                          " WHERE j.name = 'j'") or 0

    def done(self, job="j"):
        return self.value("SELECT COUNT(*) FROM item_stages r JOIN stages s ON s.id = r.stage_id"
                          " JOIN jobs j ON j.id = s.job_id WHERE j.name = ? AND r.status = 'done'",
                          job)

    def wait_done(self, count, job="j"):
        wait_until(lambda: self.done(job) >= count, lambda: f"{count} done: {self.done(job)}")
        self.assertEqual(self.done(job), count)

    def wait_asleep(self, pool, count, name="api"):
        wait_until(lambda: self.resource(pool, name)["waiting"] == count,
                   lambda: f"{count} sleep at {name}: {self.resource(pool, name)}")

    def assert_bound(self, rate, burst):
        """In no stretch more than RATE (a second) × its length + BURST."""
        at = [row["started_at"] for row in self.query(
            "SELECT started_at FROM item_stages WHERE started_at IS NOT NULL ORDER BY started_at")]
        self.assertGreater(len(at), burst)
        for first in range(len(at)):
            for last in range(first + burst, len(at)):
                allowed = rate * (at[last] - at[first]) / 1000 + burst
                self.assertLessEqual(last - first + 1, allowed, at[first:last + 1])
        # All of them, also those whose time a later claim of the same run has taken the place of.
        # The buckets are a little older than the event run_start; the items were there before both.
        begin = self.value("SELECT MIN(created_at) FROM work_items")
        end = self.value("SELECT MAX(updated_at) FROM item_stages")
        self.assertLessEqual(self.claims(), rate * (end - begin) / 1000 + burst)


class Bound(PacingTest):
    def test_holds_while_workers_are_killed(self):
        for burst in (1, 5):
            with self.subTest(burst=burst):
                self.paced({"api": ("50/s", burst)}, workers=8)
                self.items(2000)
                pool = self.pool()
                for n in range(40):
                    claims = self.claims()
                    wait_until(lambda: self.claims() > claims, "claims go on")  # noqa: B023
                    victims = pool.worker_pids()
                    procs.kill(victims[n % len(victims)])
                pool.stop()
                self.assert_bound(50, burst)

    def test_holds_while_the_whole_pool_is_killed(self):
        self.paced({"api": ("100/s", 10)}, workers=4)
        self.items(2000)
        for _ in range(10):
            claims = self.claims()
            pool = self.pool()
            wait_until(lambda: self.claims() > claims + 15, "claims go on")  # noqa: B023
            pool.kill_all()
            pool.wait()
        self.pool().stop()  # tidies up what the last one left
        self.assert_bound(100, 10)

    def test_holds_over_clean_stops(self):
        self.paced({"api": ("100/s", 10)}, workers=4)
        self.items(2000)
        for _ in range(5):
            claims = self.claims()
            pool = self.pool()
            wait_until(lambda: self.claims() > claims + 15, "claims go on")  # noqa: B023
            pool.stop()
        self.assert_bound(100, 10)


class Tokens(PacingTest):
    def test_as_many_claims_as_tokens(self):
        self.paced({"api": (DAY, 10)}, workers=4)
        self.items(20)
        self.leave(api=7.5)
        pool = self.pool()
        self.wait_done(7)
        self.wait_asleep(pool, 4)
        self.assertEqual(self.claims(), 7)
        self.wait_tokens(pool, api=0)

    def test_paced_run_waits_as_pending(self):
        self.paced({"api": (DAY, 10)}, workers=2)
        self.items(3)
        pool = self.pool()
        self.wait_asleep(pool, 2)
        self.assertEqual({(r["status"], r["attempts"], r["claim"]) for r in self.runs("j")},
                         {("pending", 0, None)})
        self.assertEqual({w["state"] for w in pool.workers()}, {"idle"})
        # Who sleeps there is woken for work that takes no token, and sleeps there again.
        self.items(5, "free")
        self.wait_done(5, "free")
        self.wait_asleep(pool, 2)
        self.assertEqual(self.claims(), 0)

    def test_nothing_is_lost_when_the_second_is_empty(self):
        self.paced({"one": (DAY, 10), "two": (DAY, 10)}, uses="one two", workers=4)
        self.items(10)
        self.leave(one=8, two=3)
        pool = self.pool()
        self.wait_done(3)
        self.wait_asleep(pool, 4, "two")
        self.wait_tokens(pool, one=5, two=0)
        self.assertEqual(self.resource(pool, "one")["waiting"], 0)

    def test_empty_lane_does_not_hold_up_another(self):
        self.paced({"one": (DAY, 10), "two": (DAY, 10)}, uses="one", workers=2)
        self.config(self.conf_text() + "[job k]\nhandler = builtin noop\nresource = two\n")
        self.items(3)
        self.items(3, "k")
        self.leave(two=2)
        pool = self.pool()
        self.wait_done(2, "k")
        wait_until(lambda: self.resource(pool, "one")["waiting"] == 2 ==
                   self.resource(pool, "two")["waiting"], "both sleep at both")
        self.assertEqual(self.done(), 0)

    def conf_text(self):
        with open(self.path("stint.conf"), encoding="utf-8") as f:
            return f.read().partition("\n\n")[2]

    def test_killed_worker_costs_no_token_but_those_in_its_hand(self):
        self.paced({"api": (DAY, 10)}, workers=2)
        self.items(1)
        self.leave(api=9)
        pool = self.pool()
        self.wait_done(1)
        self.wait_tokens(pool, api=8)  # nothing is in a hand any more
        for pid in pool.worker_pids():
            procs.kill(pid)
        wait_until(pool.is_full, "refilled")
        self.wait_tokens(pool, api=8)


class ForeignLock(PacingTest):
    def test_tokens_that_waited_for_the_lock_are_of_now(self):
        self.paced({"api": (DAY, 10)}, workers=4)
        self.items(1)
        self.leave(api=8)
        pool = self.pool()
        self.wait_done(1)
        procs.kill(pool.supervisor, signal.SIGTSTP)
        wait_until(lambda: pool.status()["state"] == "suspended", "suspended")
        self.items(7)  # one of them is known
        db = sqlite3.connect(self.database, timeout=30, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        procs.kill(pool.supervisor, signal.SIGCONT)
        wait_until(lambda: self.tokens(pool) == 3, "four tokens in hand")
        wait_until(lambda: pool.status().get("lock_holder"), "they have waited for a while")
        at = time.time() * 1000
        db.execute("COMMIT")
        db.close()
        self.wait_done(7)
        self.assertGreaterEqual(self.value("SELECT MIN(started_at) FROM item_stages r JOIN stages s"
                                           " ON s.id = r.stage_id JOIN jobs j ON j.id = s.job_id"
                                           " JOIN work_items i ON i.id = r.item_id"
                                           " WHERE j.name = 'j' AND i.item_key <> 'k0'"), at - 101)
        self.wait_tokens(pool, api=1)


class Restart(PacingTest):
    def saved(self):
        return {row["name"]: row["tokens_millionths"] / 1e6
                for row in self.query("SELECT * FROM resource_levels")}

    def test_clean_stop_saves_and_the_next_start_takes_once(self):
        self.paced({"api": (DAY, 10), "other": (DAY, 5)})
        self.items(2)
        self.leave(api=6, other=99, gone=3)
        pool = self.pool()
        self.wait_done(2)
        self.assertEqual(self.saved(), {})
        self.assertEqual(pool.stop(), 0)
        found = self.saved()
        self.assertEqual(set(found), {"api", "other"})
        self.assertEqual([int(found["api"] + 0.01), found["other"]], [4, 5])
        pool = self.pool()
        self.wait_tokens(pool, api=4, other=5)
        self.assertEqual(self.saved(), {})
        pool.kill_all()
        pool.wait()
        pool = self.pool()  # what was not saved is not had
        self.wait_tokens(pool, api=0, other=0)

    def test_what_the_rate_granted_meanwhile_is_added(self):
        self.paced({"api": ("1/h", 10)})
        self.items(1)
        self.execute("INSERT INTO resource_levels VALUES ('api', 500000, ?)",
                     int((time.time() - 3 * 3600 - 60) * 1000))
        pool = self.pool()
        self.wait_done(1)
        self.wait_tokens(pool, api=2)  # 0.5 + 3, and one was taken

    def test_clock_that_went_back_gives_nothing(self):
        self.paced({"api": ("1/s", 10)})
        self.items(1)
        self.execute("INSERT INTO resource_levels VALUES ('api', 0, ?)",
                     int((time.time() + 3600) * 1000))
        pool = self.pool()
        self.wait_done(1)
        self.assertLess(self.resource(pool)["tokens"], 10)


class Reload(PacingTest):
    def reload(self, pool):
        answer = json.loads(control.ask(pool.socket, "reload", 60))
        self.assertEqual(answer["state"], "accepted", answer)

    def test_new_rate_wakes_who_sleeps(self):
        self.paced({"api": (DAY, 10)}, workers=4)
        self.items(50)
        pool = self.pool()
        before = pool.worker_pids()
        self.wait_asleep(pool, 4)
        self.paced({"api": ("1000/s", 10)}, workers=4)
        self.reload(pool)
        self.wait_done(50)
        self.assertEqual(pool.worker_pids(), before)
        self.assertEqual(self.resource(pool)["rate"], "1000/s")
        self.assert_bound(1000, 10)

    def test_slower_rate_holds_at_once(self):
        self.paced({"api": ("1000/s", 1)}, workers=4)
        self.items(2000)
        pool = self.pool()
        wait_until(lambda: self.done() > 20, "some done")
        self.paced({"api": (DAY, 1)}, workers=4)
        self.reload(pool)
        self.wait_asleep(pool, 4)
        claims = self.claims()
        self.items(1, "free")
        self.wait_done(1, "free")
        self.assertLess(claims, 2000)
        self.assertLessEqual(self.claims(), claims + 1)  # at most the token that was there

    def test_level_stays_with_its_name(self):
        self.paced({"api": (DAY, 10), "old": (DAY, 10)})
        self.items(1)
        self.leave(api=6, old=6)
        pool = self.pool()
        self.wait_done(1)
        self.paced({"new": (DAY, 10), "api": ("2/d", 4)})
        self.reload(pool)
        self.wait_tokens(pool, new=0, api=4)

    def test_stage_without_its_resource_is_free(self):
        self.paced({"api": (DAY, 10)}, workers=2)
        self.items(5)
        pool = self.pool()
        self.wait_asleep(pool, 2)
        self.paced({}, uses="", workers=2)
        self.reload(pool)
        self.wait_done(5)
        self.assertEqual(control.ask(pool.socket, "resources").strip(), "")


class Command(PacingTest):
    def test_no_pool(self):
        self.paced({"api": DAY})
        self.assertIn("stint run", self.stint("resources", code=3).err)

    def test_what_it_says(self):
        self.paced({"api": ("120/h", 3), "idle": "5/s"}, stages="a b", workers=2)
        self.items(2)
        pool = self.pool()
        self.wait_asleep(pool, 2)
        api, idle = self.stint("resources", "--json").rows
        self.assertEqual([api[k] for k in ("schema", "name", "rate", "burst", "waiting",
                                           "held_until", "stages")],
                         ["stint.resource/1", "api", "120/h", 3, 2, None, ["j.a", "j.b"]])
        self.assertGreater(api["next_token_seconds"], 0)
        self.assertLess(api["next_token_seconds"], 31)
        self.assertLess(api["tokens"], 1)
        self.assertEqual((idle["burst"], idle["waiting"], idle["stages"]), (5, 0, []))
        text = self.stint("resources").out.splitlines()
        self.assertRegex(text[0], r"^RESOURCE +RATE +BURST +TOKENS +NEXT +WAITING +HELD +STAGES$")
        self.assertRegex(text[1], r"^api +120/h +3 +0\.\d +in \d+s +2 +- +j\.a j\.b$")

    def test_status_says_what_waits(self):
        self.paced({"api": ("120/h", 3)}, stages="a b", workers=2)
        self.items(2)
        pool = self.pool()
        self.wait_asleep(pool, 2)
        for words in ((), ("j",)):
            self.assertRegex(self.stint("status", *words).out,
                             r"(?m)^waits for resource api \(120/h\): j\.a; next token in \d+s$")
        self.assertNotIn("waits for", self.stint("status", "free").out)
        self.paced({"api": ("100000/s", 3)}, stages="a b", workers=2)
        control.ask(pool.socket, "reload", 60)
        self.wait_done(4)
        self.assertNotIn("waits for", self.stint("status").out)

    def test_many_stages(self):
        """More than one piece of an answer holds."""
        stages = " ".join(f"{'x' * 60}-{n:03}" for n in range(200))
        self.paced({"api": DAY, "other": DAY}, stages=stages, uses="api other", workers=1)
        self.pool()
        rows = self.stint("resources", "--json").rows
        self.assertEqual([len(set(r["stages"])) for r in rows], [200, 200])

    def test_nothing_is_paced(self):
        self.paced({}, uses="")
        self.pool()
        self.assertIn("no [resource NAME] is configured", self.stint("resources").err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
