"""SIGHUP and `stint reload`: whole or not at all, nothing lost, nothing claimed by the wrong spec."""
import json
import os
import signal
import sqlite3
import unittest

import path  # noqa: F401
import control
import procs
from stint_test import StintTest
from waiting import wait_until


class ReloadTest(StintTest):
    """What all of these share: handlers that say which version they are, and asking for a reload."""

    def versioned(self, version, wait=""):
        """./vN: its result is its version."""
        self.ledger_script(f"v{version}", f"{wait}\necho {version}")

    def job(self, version, extra=""):
        return f"[job j]\nstages = s\n[stage j.s]\nhandler = exec ./v{version}\n{extra}"

    def hup(self, pool):
        procs.kill(pool.supervisor, signal.SIGHUP)

    def reload(self, pool, state="accepted"):
        """Over the socket: the answer comes when it is over."""
        answer = json.loads(control.ask(pool.socket, "reload", 60))
        self.assertEqual(answer["state"], state, answer)
        return answer

    def wait_state(self, pool, state):
        def look():
            found = (pool.status() or {}).get("reload") or {}
            return found if found.get("state") == state else None
        return wait_until(look, lambda: f"reload {state}: {pool.status()}")

    def submit(self, key):
        """Work from outside, while the files are nothing that a command could go by."""
        self.execute("INSERT INTO submit (job, item_key) VALUES ('j', ?)", key)
        wait_until(lambda: self.value("SELECT COUNT(*) FROM work_items WHERE item_key = ?", key),
                   f"{key} is admitted")

    def wait_done(self, *keys):
        for key in keys:
            self.wait_status(key, "s", "done")


class Refused(ReloadTest):
    def setUp(self):
        super().setUp()
        self.versioned(1)
        self.config(self.job(1))
        self.running = self.pool()

    def break_files(self):
        self.config(self.job(1, "timout = 3m\n") + "[job k]\nhandler = exec ./v1\npriority = x\n")

    def test_broken_file_leaves_all_as_it_was_and_is_named(self):
        before = self.running.role_pids("stint-worker")
        self.break_files()
        self.hup(self.running)
        said = self.wait_state(self.running, "refused")
        self.assertEqual(said["problem_count"], 2)
        self.assertRegex(said["problems"][0], r'^stint\.conf:\d+: .*"timout".*"timeout"')
        self.assertRegex(said["problems"][1], r"^stint\.conf:\d+: .*priority")
        text = self.stint("status").out
        self.assertIn("reload refused", text)
        self.assertIn(said["problems"][0], text)
        self.assertEqual(self.stint("status", "--json").json["pool"]["reload"]["problems"],
                         said["problems"])
        self.assertIn("timout", self.running.log())
        self.assertEqual(self.running.role_pids("stint-worker"), before)
        for pid in before:
            procs.kill(pid)
        wait_until(lambda: self.running.is_full() and
                   not set(before) & set(self.running.role_pids("stint-worker")), "refilled")
        self.submit("k")
        self.wait_done("k")
        self.assertEqual(self.result_of("k", "s"), 1)
        self.config(self.job(1))
        self.assertEqual(self.reload(self.running)["change_count"], 0)
        self.assertNotIn("refused", self.stint("status").out)
        self.assertEqual(self.events("reload"), [])

    def test_reload_says_all_problems_and_exits_1(self):
        self.break_files()
        said = self.stint("reload", code=1).err
        self.assertIn("refused", said)
        self.assertRegex(said, r"stint\.conf:\d+: .*timout")
        self.assertRegex(said, r"stint\.conf:\d+: .*priority")
        answer = self.stint("reload", "--json", code=1).json
        self.assertEqual((answer["schema"], answer["state"], answer["problem_count"]),
                         ("stint.reload/1", "refused", 2))
        self.stint("reload", "-n", code=78)
        os.chmod(self.path("stint.conf"), 0o666)
        self.assertIn("chmod go-w", self.stint("reload", code=1).err)

    def test_another_database_needs_a_restart(self):
        for key, value in (("database", "other.db"), ("heartbeat_timeout", "9s"),
                           ("durability", "normal"), ("socket", "other.sock")):
            self.config(self.job(1), **{key: value})
            problems = self.reload(self.running, "refused")["problems"]
            self.assertEqual(len(problems), 1)
            self.assertRegex(problems[0], rf"^stint\.conf:\d+: \[pool\] {key} ")
            self.assertIn("restart needed", problems[0])
            dry = self.stint("reload", "-n", code=1).out
            self.assertIn(f"[pool] {key}", dry)
            self.assertIn("restart", dry)
        self.assertFalse(os.path.exists(self.path("other.db")))

    def test_edited_files_wait_for_their_reload(self):
        self.versioned(2)
        self.config(self.job(2))
        for pid in self.running.role_pids("stint-worker"):
            procs.kill(pid)
        procs.kill(self.running.keeper())
        self.submit("k")
        self.wait_done("k")
        self.assertEqual(self.result_of("k", "s"), 1)
        self.hup(self.running)
        self.wait_state(self.running, "accepted")
        self.stint("add", "j", "l")
        self.wait_done("l")
        self.assertEqual(self.result_of("l", "s"), 2)


class Specs(ReloadTest):
    def test_running_attempt_ends_with_the_old_handler(self):
        self.versioned(1, self.gate())
        self.versioned(2)
        self.config(self.job(1))
        self.stint("add", "j", "old")
        pool = self.pool()
        wait_until(lambda: self.begun("old"), "runs")
        old = pool.role_pids("stint-worker")
        self.config(self.job(2))
        self.assertTrue(self.reload(pool)["retires_workers"])
        self.stint("add", "j", "new")
        self.wait_done("new")
        self.assertEqual(self.result_of("new", "s"), 2)
        self.assertEqual(self.run_of("old")["status"], "in_progress")
        left = set(old) & set(pool.role_pids("stint-worker"))
        self.assertEqual(len(left), 1, "the idle one has left")
        self.open_gate()
        self.wait_done("old")
        self.assertEqual(self.result_of("old", "s"), 1)
        wait_until(lambda: not left & set(pool.role_pids("stint-worker")), "the old one leaves")
        wait_until(pool.is_full, "its place is refilled")
        row = self.run_of("old")
        self.assertEqual((row["attempts"], row["interruptions"]), (1, 0))
        for event in ("claim.lost", "attempt.interrupted", "worker.died"):
            self.assertEqual(self.events(event), [])

    def test_nothing_is_claimed_by_an_old_spec(self):
        """Reloads under full load: each result is of the version in force when it was claimed."""
        for version in range(1, 7):
            self.versioned(version)
        self.config(self.job(1), workers=4)
        self.stint("add", "j", *[f"k{n:03}" for n in range(300)])
        pool = self.pool()
        for version in range(2, 7):
            wait_until(lambda v=version: self.done() >= 40 * (v - 1), "progress")
            self.config(self.job(version), workers=4)
            self.reload(pool)
            self.assertLessEqual(len(pool.role_pids("stint-worker")), 4)
        wait_until(lambda: self.done() == 300, lambda: f"{self.done()} done")
        reloads = [row["ts"] for row in self.query("SELECT ts FROM events WHERE event = 'reload'"
                                                   " ORDER BY id")]
        self.assertEqual(len(reloads), 5)
        for row in self.query("SELECT r.started_at AS at, CAST(x.data AS INTEGER) AS version"
                              " FROM item_stages r JOIN results x ON x.item_id = r.item_id"):
            least = 1 + sum(ts < row["at"] for ts in reloads)
            most = 1 + sum(ts <= row["at"] for ts in reloads)
            self.assertTrue(least <= row["version"] <= most, (row, reloads))
        self.assertEqual(self.value("SELECT SUM(attempts) FROM item_stages"), 300)
        self.assertEqual(self.events("claim.lost"), [])

    def done(self):
        return self.value("SELECT COUNT(*) FROM item_stages WHERE status = 'done'")

    def test_jobs_and_stages_come_and_go(self):
        self.versioned(1)
        self.config(self.job(1))
        pool = self.pool()
        self.write("found.csv", "key\na\nb\n")
        self.config(self.job(1) + "[job found]\ndiscover = list found.csv\nhandler = exec ./v1\n")
        self.reload(pool)
        wait_until(lambda: [r["status"] for r in self.runs("found")] == ["done"] * 2,
                   lambda: str(self.runs()))
        self.config(self.job(1) + "[job found]\nstages = found more\n"
                    "[stage found.found]\nhandler = exec ./v1\n"
                    "[stage found.more]\nhandler = builtin sleep 1h\n")
        self.reload(pool)
        wait_until(lambda: [r["status"] for r in self.runs("found") if r["stage"] == "more"] ==
                   ["in_progress"] * 2, lambda: str(self.runs()))
        self.config(self.job(1) + "[job found]\nhandler = exec ./v1\n")
        self.reload(pool)
        rows = [r for r in self.runs("found") if r["stage"] == "more"]
        self.assertEqual({(r["status"], r["error"]) for r in rows},
                         {("skipped", "the stage is not in the configuration")})

    def test_a_removed_job_keeps_its_items(self):
        self.versioned(1)
        keep = "[job keep]\nhandler = builtin noop\n"
        self.config(self.job(1) + keep)
        pool = self.pool("--workers", "1")
        self.stint("pause", "j")
        self.stint("add", "j", "k")
        self.config(keep)
        self.reload(pool)
        self.stint("resume", "j", code=None)
        self.execute("UPDATE job_state SET paused = 0")
        self.stint("add", "keep", "x")
        wait_until(lambda: self.runs("keep")[0]["status"] == "done", "the other job goes on")
        self.assertEqual(self.run_of("k")["status"], "pending")
        self.assertIn("not in the configuration", self.stint("status").out)
        self.config(self.job(1) + keep)
        self.reload(pool)
        self.wait_done("k")


class Tuning(ReloadTest):
    def test_in_place_and_the_running_attempt_is_judged_by_it(self):
        self.ledger_script("v1", f"{self.gate()}\nexit 75")
        self.config(self.job(1, "max_attempts = 5\n"))
        self.stint("add", "j", "k")
        pool = self.pool()
        wait_until(lambda: self.begun("k"), "runs")
        before = pool.role_pids("stint-worker")
        self.config(self.job(1, "max_attempts = 1\n"), shutdown_timeout="19s")
        answer = self.reload(pool)
        self.assertEqual((answer["change_count"], answer["retires_workers"]), (2, False))
        self.open_gate()
        self.wait_status("k", "s", "exhausted")
        self.assertEqual(pool.role_pids("stint-worker"), before)
        data = self.events("reload")[0]["data"]
        self.assertEqual(data["count"], 2)
        self.assertIn({"section": "stage j.s", "key": "max_attempts", "act": "changed"},
                      data["changes"])
        self.assertFalse(data["handlers"])

    def test_workers_up_and_down(self):
        self.versioned(1)
        self.config(self.job(1), workers=2)
        pool = self.pool()
        for count in (5, 1, 3):
            self.config(self.job(1), workers=count)
            self.reload(pool)
            wait_until(lambda n=count: len(pool.role_pids("stint-worker")) == n, f"{count}")
        procs.kill(pool.supervisor, signal.SIGTTIN)
        wait_until(lambda: len(pool.role_pids("stint-worker")) == 4, "one more by TTIN")
        self.config(self.job(1, "timeout = 3m\n"), workers=3)
        self.reload(pool)
        self.assertEqual(pool.status()["workers_target"], 4, "another key leaves it alone")
        self.config(self.job(1, "timeout = 3m\n"), workers=2)
        self.reload(pool)
        wait_until(lambda: len(pool.role_pids("stint-worker")) == 2, "as the file says now")


class Storms(ReloadTest):
    def test_a_hundred_hups(self):
        self.versioned(1)
        self.versioned(2)
        self.config(self.job(1))
        pool = self.pool()
        self.config(self.job(2))
        for _ in range(100):
            self.hup(pool)
        self.wait_state(pool, "accepted")
        self.reload(pool)
        self.assertEqual(len(self.events("reload")), 1)
        self.stint("add", "j", "k")
        self.wait_done("k")
        self.assertEqual(self.result_of("k", "s"), 2)

    def test_good_and_bad_files_under_kills(self):
        """HUPs with files good and bad, workers and keeper killed: each item once, nothing lost."""
        for version in (1, 2):
            self.versioned(version)
        self.config(self.job(1), workers=4)
        keys = [f"k{n:03}" for n in range(150)]
        self.stint("add", "j", *keys)
        pool = self.pool()
        done = "SELECT COUNT(*) FROM item_stages WHERE status = 'done'"
        turns = 0

        def hurt():
            nonlocal turns
            turns += 1
            text = self.job(1 + turns % 2, "timout = 1m\n" if turns % 3 == 0 else
                            f"timeout = {1 + turns % 5}m\n")
            self.config(text, workers=3 + turns % 3)
            self.hup(pool)
            pids = pool.role_pids("stint-worker")
            if pids and turns % 10 == 0:
                procs.kill(pids[turns % len(pids)])
            if turns % 37 == 0:
                procs.kill(pool.keeper())
            return self.value(done) == len(keys)
        wait_until(hurt, lambda: f"{self.value(done)} done after {turns} turns", 300)
        self.config(self.job(2), workers=2)
        self.reload(pool)
        wait_until(lambda: len(pool.role_pids("stint-worker")) == 2, "two workers")
        self.assertEqual(self.value("SELECT COUNT(*) FROM results WHERE NOT superseded"),
                         len(keys))
        self.assert_counts_exact()
        self.assertEqual(self.value("PRAGMA integrity_check"), "ok")
        self.assertGreater(len(self.events("reload")), 3)
        generations = [json.loads(r["data"])["generation"] for r in
                       self.query("SELECT data FROM events WHERE event = 'reload' ORDER BY id")]
        self.assertEqual(generations, sorted(set(generations)), "no reload is recorded twice")


class Interrupted(ReloadTest):
    """The keeper stands still, dies, or waits for a foreign program while a reload is under way."""

    def setUp(self):
        super().setUp()
        self.versioned(1)
        self.versioned(2)
        self.config(self.job(1))
        self.running = self.pool()
        self.config(self.job(2))

    def assert_second_version(self):
        self.wait_state(self.running, "accepted")
        self.assertEqual(len(self.events("reload")), 1)
        self.stint("add", "j", "k")
        self.wait_done("k")
        self.assertEqual(self.result_of("k", "s"), 2)

    def test_pending_and_the_keeper_dies(self):
        keeper = self.running.keeper()
        procs.kill(keeper, signal.SIGSTOP)
        self.hup(self.running)
        self.wait_state(self.running, "pending")
        self.assertIn("under way", self.stint("status").out)
        for pid in self.running.role_pids("stint-worker"):
            procs.kill(pid)
        procs.kill(keeper)
        self.assert_second_version()

    def test_a_foreign_program_holds_the_database(self):
        db = sqlite3.connect(self.database, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        self.hup(self.running)
        self.wait_state(self.running, "pending")
        db.execute("ROLLBACK")
        db.close()
        self.assert_second_version()

    def test_stop_while_it_is_under_way(self):
        procs.kill(self.running.keeper(), signal.SIGSTOP)
        self.hup(self.running)
        self.wait_state(self.running, "pending")
        self.running.signal(signal.SIGTERM)
        procs.kill(self.running.keeper(), signal.SIGCONT)
        self.assertEqual(self.running.wait(), 0, self.running.log())


class Command(ReloadTest):
    def test_dry_run_says_what_would_change(self):
        self.versioned(1)
        self.config(self.job(1))
        self.stint("reload", "-n", code=3)
        self.assertIn("stint run", self.stint("reload", code=3).err)
        pool = self.pool(env={"STINT_POOL_WORKERS": "3"})
        self.assertIn("nothing would change", self.stint("reload", "-n").out)
        self.config(self.job(2, "timeout = 3m\n") + "[job new]\nhandler = builtin noop\n")
        said = self.stint("reload", "-n").out
        self.assertRegex(said, r"\[stage j\.s\] handler: exec \./v1 → exec \./v2 .*when they are")
        self.assertRegex(said, r"\[stage j\.s\] timeout: 30m → 3m .*next attempt")
        self.assertRegex(said, r"\[job new\] added")
        self.assertNotIn("workers:", said, "the pool was started with its own number")
        found = self.stint("reload", "-n", "--json").json
        self.assertEqual((found["schema"], found["dry_run"], found["change_count"]),
                         ("stint.reload/1", True, 3))
        self.assertEqual({c["class"] for c in found["changes"]}, {"spec", "tuning"})
        self.assertNotIn("reload", pool.status())
        self.versioned(2)
        said = self.stint("reload").err
        self.assertIn("[job new] added", said)
        self.assertIn("when they are empty", said)
        self.assertIn("nothing changed", self.stint("reload").err)

    def test_secrets_and_values_stay_out_of_log_and_events(self):
        self.versioned(1)
        self.config(self.job(1))
        pool = self.pool()
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./v1 --key hush4711\n")
        self.reload(pool)
        self.assertNotIn("hush4711", pool.log())
        self.assertEqual(self.value("SELECT COUNT(*) FROM events WHERE data LIKE '%hush4711%'"), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
