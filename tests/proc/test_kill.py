"""What dies and what happens: workers, keeper, supervisor, all at once; hung ones, stopped ones.

STINT_KILL_SECONDS (8) and STINT_KILL_ITEMS (150) make the storm longer.
"""
import os
import random
import signal
import sqlite3
import threading
import time
import unittest

import path  # noqa: F401
import procs
from stint_test import TEST_HANDLER, StintTest
from waiting import wait_until

SECONDS = float(os.environ.get("STINT_KILL_SECONDS", "8"))
ITEMS = int(os.environ.get("STINT_KILL_ITEMS", "150"))
SLACK = 4.0  # for a sanitized build on a busy machine; the figures are printed


class FullWatch(threading.Thread):
    """Looks without pause at how many worker processes there are; knows the longest gap."""

    def __init__(self, pool, target):
        super().__init__(daemon=True)
        self.pool, self.target = pool, target
        self.longest, self.is_over = 0.0, threading.Event()

    def run(self):
        full_at = time.monotonic()
        while not self.is_over.wait(0.005):
            now = time.monotonic()
            if len(self.pool.role_pids("stint-worker")) >= self.target:
                full_at = now
            self.longest = max(self.longest, now - full_at)

    def end(self):
        self.is_over.set()
        self.join()
        return self.longest


class Kill(StintTest):
    def three_stages(self, work_ms=10, extra="backoff = 50ms\n", **pool):
        self.config("[job j]\nstages = a b c\n" + extra + "".join(
            f"[stage j.{s}]\nhandler = exec {TEST_HANDLER} {self.ledger_path} {work_ms}\n"
            for s in "abc"), **pool)

    def hold_first(self, **pool):
        """A stage whose first run of an item waits at the gate; later runs pass."""
        self.ledger_script("first", f'[ -e "seen.$STINT_ITEM" ] || {{ : >"seen.$STINT_ITEM"; '
                                    f'{self.gate()}; }}')
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./first\n", **pool)

    def assert_all_done_once(self, items, stages=3):
        rows = self.runs("j")
        self.assertEqual(len(rows), items * stages)
        self.assertEqual({r["status"] for r in rows}, {"done"})
        self.assertEqual({r["attempts"] for r in rows}, {1})
        results = self.query("SELECT item_id, stage_id, claim FROM results WHERE NOT superseded")
        self.assertEqual(len(results), len(rows))
        accepted = {(r["item_id"], r["stage_id"]): r["claim"] for r in results}
        interrupted = {}
        for event in self.events("attempt.interrupted"):
            key = event["item_id"], event["stage_id"]
            interrupted[key] = interrupted.get(key, 0) + 1
        for r in rows:
            key = r["item_id"], r["stage_id"]
            self.assertEqual(r["claim"], accepted[key])
            self.assertEqual(r["interruptions"], interrupted.get(key, 0))
        self.assertEqual(self.value("PRAGMA integrity_check"), "ok")
        self.assertEqual(self.query("PRAGMA foreign_key_check"), [])
        self.assert_counts_exact()

    def test_storm_of_worker_kills(self):
        self.three_stages(workers=8)
        keys = [f"k{n}" for n in range(ITEMS)]
        self.stint("add", "j", *keys)
        pool = self.pool()
        watch, rng, kills = FullWatch(pool, 8), random.Random(1), 0
        watch.start()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            next_kill = time.monotonic() + 0.05
            victims = pool.role_pids("stint-worker")
            kills += bool(victims) and procs.kill(rng.choice(victims))
            wait_until(lambda at=next_kill: time.monotonic() >= at, "the next kill")
        longest = watch.end()
        self.stint("wait", "j", "--timeout", "120s", timeout=150)
        print(f"{kills} kills in {SECONDS:g} s, longest not full {longest * 1000:.0f} ms, "
              f"{len(self.events('attempt.interrupted'))} interrupted")
        self.assertGreater(kills, SECONDS * 5)
        self.assertLess(longest, 1.0 + SLACK)
        self.assertEqual(pool.stop(), 0)
        self.assert_all_done_once(ITEMS)
        self.assertGreaterEqual(kills, len(self.events("worker.died")))

    def test_everything_killed_then_drained_equals_undisturbed(self):
        self.three_stages(work_ms=20, workers=4)
        keys = [f"k{n}{tail}" for n in range(25) for tail in ("", "-skip", "-fail")]
        self.stint("add", "j", *keys)
        for _ in range(3):
            pool = self.pool("--drain")
            at = len(self.ledger())
            wait_until(lambda at=at: len(self.ledger()) > at + 20, "in the middle")
            pool.kill_all()
            pool.wait()
        self.stint("run", "--drain", code=1, timeout=300)
        self.assertFalse(self.value("SELECT COUNT(*) FROM item_stages WHERE status IN"
                                    " ('pending', 'in_progress', 'retry_later')"))
        for row in self.runs("j"):
            tail = row["key"].rpartition("-")[2]
            wanted = {("b", "skip"): "skipped", ("b", "fail"): "failed",
                      ("c", "fail"): "blocked"}.get((row["stage"], tail), "done")
            self.assertEqual((row["key"], row["stage"], row["status"]),
                             (row["key"], row["stage"], wanted))
            self.assertEqual(row["attempts"], 0 if wanted == "blocked" else 1)
        self.assertEqual(self.value("SELECT COUNT(*) FROM pools WHERE retired_at IS NULL"), 0)
        self.assert_counts_exact()

    def spawner(self, **pool):
        """A handler that leaves a deaf grandchild, and notes if an earlier run's is still alive."""
        self.ledger_script("spawner", 'for p in $(cat orphans 2>/dev/null); do '
                           'read -r _ _ state _ 2>/dev/null </proc/"$p"/stat && '
                           '[ "$state" != Z ] && echo "$p $state" >>overlap; done\n'
                           "setsid sh -c 'trap \"\" TERM HUP INT; echo $$ >>orphans; "
                           "exec tail -f /dev/null' >/dev/null 2>&1 &\n" + self.gate())
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./spawner\n", workers=1,
                    **pool)
        self.stint("add", "j", "k")

    def wait_spawned(self, n):
        wait_until(lambda: len(self.begun("k")) == n, f"run {n}")
        wait_until(lambda: len(self.lines("orphans")) == n, f"grandchild {n} lives")

    def assert_never_overlapped(self, interruptions):
        self.assertEqual(self.lines("overlap"), [])
        self.assertEqual([p for p in procs.marked(self.mark) if procs.comm(p) == "tail"], [])
        row = self.run_of("k")
        self.assertEqual((row["status"], row["attempts"], row["interruptions"]),
                         ("done", 1, interruptions))

    def test_old_grandchild_is_dead_before_the_new_pool_claims(self):
        self.spawner()
        for n in range(3):
            pool = self.pool()
            self.wait_spawned(n + 1)
            pool.kill_all()
            pool.wait()
        self.open_gate()
        self.stint("run", "--drain", timeout=120)
        self.assert_never_overlapped(3)

    def test_grandchild_of_a_dead_worker_is_dead_before_the_next_claim(self):
        self.spawner(heartbeat_interval="100ms", heartbeat_timeout="800ms")
        pool = self.pool()
        for n, signum in enumerate((signal.SIGKILL, signal.SIGSTOP, signal.SIGKILL)):
            self.wait_spawned(n + 1)
            procs.kill(pool.role_pids("stint-worker")[0], signum)
        self.wait_spawned(4)
        self.open_gate()
        self.wait_status("k", "s", "done")
        self.assertEqual(pool.stop(), 0)
        self.assert_never_overlapped(3)

    def lines(self, name):
        try:
            with open(self.path(name), encoding="utf-8") as f:
                return f.read().split()
        except FileNotFoundError:
            return []

    def test_stopped_worker_is_killed_and_its_item_runs_elsewhere(self):
        self.hold_first(workers=2, heartbeat_interval="100ms", heartbeat_timeout="1s")
        self.stint("add", "j", "k")
        pool = self.pool()
        wait_until(lambda: self.begun("k"), "runs")
        victim = next(w["pid"] for w in pool.workers() if w["claim"])
        procs.kill(victim, signal.SIGSTOP)
        stopped = time.monotonic()
        wait_until(lambda: len(self.begun("k")) == 2, "runs elsewhere")
        took = time.monotonic() - stopped
        print(f"SIGSTOP of a worker → runs elsewhere: {took:.2f} s (heartbeat_timeout 1 s)")
        self.assertGreater(took, 0.8, "a slow one is not taken for dead")
        self.assertLess(took, 2.0 + SLACK)
        self.assertFalse(procs.is_alive(victim))
        self.assertEqual(self.wait_status("k", "s", "done")["interruptions"], 1)
        self.assertEqual([e["data"]["verdict"] for e in self.events("worker.died")], ["hung"])

    def test_stopped_supervisor_judges_nobody_when_it_wakes(self):
        self.config("[job j]\nhandler = builtin noop\n", workers=4, heartbeat_interval="100ms",
                    heartbeat_timeout="600ms")
        pool = self.pool()
        before = pool.role_pids("stint-worker") + [pool.keeper()]
        for who in ([pool.supervisor], [pool.supervisor, *before]):
            for pid in who:
                procs.kill(pid, signal.SIGSTOP)
            wake = time.monotonic() + 3.0
            wait_until(lambda at=wake: time.monotonic() > at, "5 × the timeout")
            for pid in who:
                procs.kill(pid, signal.SIGCONT)
            key = f"k{len(who)}"
            self.stint("add", "j", key)
            self.wait_status(key, "j", "done")
        # Time for a late verdict: several beats of every worker.
        self.pass_beats(pool, 12)
        self.assertEqual(pool.role_pids("stint-worker") + [pool.keeper()], before)
        self.assertEqual(self.events("worker.died"), [])
        self.assertEqual(self.events("attempt.interrupted"), [])

    def pass_beats(self, pool, n):
        end = time.monotonic() + n * 0.1
        wait_until(lambda: time.monotonic() > end and pool.status(), "beats")

    def test_stopped_supervisor_with_running_work(self):
        self.hold_first(workers=2, heartbeat_interval="100ms", heartbeat_timeout="600ms")
        self.stint("add", "j", "a", "b")
        pool = self.pool()
        wait_until(lambda: len(self.begun()) == 2, "both run")
        procs.kill(pool.supervisor, signal.SIGSTOP)
        wake = time.monotonic() + 3.0
        wait_until(lambda: time.monotonic() > wake, "5 × the timeout")
        procs.kill(pool.supervisor, signal.SIGCONT)
        self.pass_beats(pool, 12)
        self.open_gate()
        self.wait_status("a", "s", "done")
        self.wait_status("b", "s", "done")
        self.assertEqual(len(self.begun()), 2)
        self.assertEqual(self.events("attempt.interrupted"), [])

    def test_keeper_killed_every_200_ms(self):
        self.three_stages(work_ms=20, workers=4)
        self.stint("add", "j", *[f"k{n}-retry" for n in range(20)])
        pool = self.pool()
        kills, submitted = 0, 0
        end = time.monotonic() + min(SECONDS, 6)
        while time.monotonic() < end:
            next_kill = time.monotonic() + 0.2
            keeper = pool.keeper()
            kills += bool(keeper) and procs.kill(keeper)
            self.execute("INSERT INTO submit (job, item_key) VALUES ('j', ?)", f"s{submitted}")
            submitted += 1
            wait_until(lambda at=next_kill: time.monotonic() >= at, "the next kill")
        self.assertGreater(kills, 5)
        wait_until(pool.keeper, "a keeper")
        wait_until(lambda: self.value("SELECT COUNT(*) FROM work_items WHERE item_key LIKE 's%'")
                   == submitted, "inbox admitted")
        self.assertEqual(pool.stop(), 0, pool.log())
        self.stint("run", "--drain", timeout=300)
        for row in self.runs("j"):
            is_retry = row["stage"] == "b" and row["key"].endswith("-retry")
            self.assertEqual((row["status"], row["attempts"], row["interruptions"]),
                             ("done", 2 if is_retry else 1, 0), row)
        self.assertEqual(len(self.query("SELECT * FROM inbox")), 0)
        self.assertEqual(len([e for e in self.events("run_start")]), 2)
        self.assert_counts_exact()

    def test_worker_death_while_there_is_no_keeper(self):
        self.hold_first(workers=1)
        self.stint("add", "j", "k")
        pool = self.pool()
        wait_until(lambda: self.begun("k"), "runs")
        keeper = pool.keeper()
        procs.kill(keeper, signal.SIGSTOP)
        procs.kill(pool.role_pids("stint-worker")[0])
        procs.kill(keeper, signal.SIGKILL)
        self.assertEqual(self.wait_status("k", "s", "done")["interruptions"], 1)

    def test_idle_worker_is_replaced_with_a_certificate(self):
        self.config("[job j]\nhandler = builtin noop\n", workers=2)
        pool = self.pool()
        old = pool.role_pids("stint-worker")
        procs.kill(old[0])
        wait_until(lambda: pool.is_full() and old[0] not in pool.role_pids("stint-worker"),
                   "replaced")
        died = wait_until(lambda: self.events("worker.died"), "certificate")[0]["data"]
        self.assertEqual(died["pid"], old[0])
        self.assertEqual(died["verdict"], "dead")
        self.assertIn("9", str(died))

    def test_death_of_the_supervisor_alone_ends_all(self):
        self.hold_first(workers=3)
        self.stint("add", "j", "k")
        pool = self.pool()
        wait_until(lambda: self.begun("k"), "runs")
        procs.kill(pool.supervisor)
        wait_until(lambda: not self.alive(), lambda: [procs.describe(p) for p in self.alive()])
        self.assertNotEqual(pool.wait(), 0)
        self.stint("run", "--drain")
        row = self.run_of("k")
        self.assertEqual((row["status"], row["interruptions"]), ("done", 1))

    def test_worker_stopped_inside_a_write_transaction(self):
        self.config("[job j]\nstages = a b c\n" + "".join(
            f"[stage j.{s}]\nhandler = builtin noop\n" for s in "abc"), workers=4,
            write_timeout="1s", heartbeat_timeout="20s")
        self.stint("add", "j", *[f"k{n}" for n in range(3000)])
        pool = self.pool()

        def stop_a_writer():
            holder = procs.write_lock_holder(self.database)
            if holder not in pool.role_pids("stint-worker"):
                return 0
            procs.kill(holder, signal.SIGSTOP)
            if procs.write_lock_holder(self.database) == holder:
                return holder
            procs.kill(holder, signal.SIGCONT)
            return 0
        victim = wait_until(stop_a_writer, "a worker is stopped with the write lock")
        stopped = time.monotonic()
        self.assertTrue(procs.wait_gone(victim, 1.0 + SLACK + 2), "hung writer is killed")
        print(f"SIGSTOP in a write transaction → killed: {time.monotonic() - stopped:.2f} s "
              "(write_timeout 1 s)")
        self.stint("wait", "j", "--timeout", "120s", timeout=150)
        self.assertEqual(pool.stop(), 0)
        self.assertEqual({r["status"] for r in self.runs("j")}, {"done"})
        self.assertEqual(len(self.events("worker.died")), 1)
        self.assert_counts_exact()

    def test_nobody_dies_for_a_foreign_holder_of_the_lock(self):
        self.config("[job j]\nhandler = shell :\n", workers=4, write_timeout="300ms",
                    heartbeat_interval="100ms", heartbeat_timeout="1s")
        self.stint("add", "j", *[f"k{n}" for n in range(40)])
        pool = self.pool()
        before = pool.role_pids("stint-worker") + [pool.keeper()]
        db = sqlite3.connect(self.database, timeout=30, isolation_level=None)
        self.addCleanup(db.close)
        db.execute("BEGIN IMMEDIATE")
        end = time.monotonic() + 3
        wait_until(lambda: time.monotonic() > end, "the lock is held for long")
        db.execute("ROLLBACK")
        self.stint("wait", "j", "--timeout", "60s")
        self.assertEqual(pool.role_pids("stint-worker") + [pool.keeper()], before)
        self.assertEqual(self.events("worker.died"), [])

    def test_poison_item_waits_longer_and_harms_no_other(self):
        self.ledger_script("poison", '[ "$STINT_ITEM" = poison ] && kill -9 $PPID')
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./poison\n", workers=2)
        self.stint("add", "j", "poison", *[f"k{n}" for n in range(10)])
        pool = self.pool()
        row = self.wait_status("poison", "s", "retry_later")
        self.assertGreaterEqual(row["interruptions"], 4)
        self.assertEqual(row["attempts"], 0)
        for n in range(10):
            self.wait_status(f"k{n}", "s", "done")
        self.assertEqual(pool.stop(), 0)
        self.assertEqual(self.events("item.exhausted"), [])

    def test_on_worker_death_fail(self):
        self.ledger_script("poison", "kill -9 $PPID; read -r _ </dev/null")
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./poison\n"
                    "on_worker_death = fail\n", workers=1)
        self.stint("add", "j", "k")
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.run_of("k")["status"], "failed")
        self.assertEqual(len(self.begun("k")), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
