"""Every signal of the supervisor, and how `stint run` passes them on."""
import os
import signal
import unittest

import path  # noqa: F401
import procs
from stint_test import StintTest
from waiting import wait_until


class Signals(StintTest):
    def setUp(self):
        super().setUp()
        self.ledger_script("hold", self.gate())
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./hold\n"
                    "[job quick]\nhandler = builtin noop\n")

    def running_pool(self, *args):
        self.stint("add", "j", "k")
        pool = self.pool(*args)
        self.wait_status("k", "s", "in_progress")
        wait_until(lambda: self.begun("k"), "the handler runs")
        return pool

    def assert_given_back(self, key="k"):
        row = self.run_of(key)
        self.assertEqual((row["status"], row["attempts"], row["interruptions"]),
                         ("pending", 0, 0))
        self.assertEqual(self.events("attempt.interrupted", key), [])

    def is_stopping(self, pool):
        return lambda: (pool.status() or {"state": "stopping"})["state"] == "stopping"

    def stop_while_running(self, signum):
        self.stint("add", "j", "k", "next")
        pool = self.pool("--workers", "1")
        wait_until(lambda: self.begun("k"), "runs")
        procs.kill(pool.supervisor, signum)
        wait_until(self.is_stopping(pool), "stopping")
        os.write(self.gates["gate"], b"\n")
        self.assertEqual(pool.wait(), 0, pool.log())
        self.assertEqual(self.run_of("k")["status"], "done")
        self.assertEqual(self.run_of("next")["status"], "pending")
        self.assertEqual(self.events("attempt.given_back"), [])

    def test_term_lets_the_running_handler_finish(self):
        self.stop_while_running(signal.SIGTERM)

    def test_int_lets_the_running_handler_finish(self):
        self.stop_while_running(signal.SIGINT)

    def test_second_term_means_now(self):
        pool = self.running_pool()
        procs.kill(pool.supervisor, signal.SIGTERM)
        wait_until(self.is_stopping(pool), "stopping")
        self.assertEqual(self.run_of("k")["status"], "in_progress")
        procs.kill(pool.supervisor, signal.SIGTERM)
        pool.wait()
        self.assert_given_back()

    def test_quit_means_now(self):
        pool = self.running_pool()
        procs.kill(pool.supervisor, signal.SIGQUIT)
        pool.wait()
        self.assert_given_back()

    def test_shutdown_timeout_ends_what_does_not_end(self):
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./hold\n",
                    shutdown_timeout="1s")
        pool = self.running_pool()
        procs.kill(pool.supervisor, signal.SIGTERM)
        pool.wait()
        self.assert_given_back()

    def test_run_passes_signals_on(self):
        pool = self.running_pool()
        pool.signal(signal.SIGTERM)
        wait_until(self.is_stopping(pool), "stopping")
        self.assertEqual(self.run_of("k")["status"], "in_progress")
        pool.signal(signal.SIGTERM)
        pool.wait()
        self.assert_given_back()

    def test_ctrl_c_reaches_the_pool_in_order(self):
        # What a terminal does: SIGINT to the whole foreground process group.
        pool = self.running_pool()
        os.killpg(os.getpgid(pool.pid), signal.SIGINT)
        wait_until(self.is_stopping(pool), "stopping")
        self.assertTrue(self.alive())
        self.assertEqual(self.run_of("k")["status"], "in_progress")
        self.open_gate()
        pool.wait()
        row = self.run_of("k")
        self.assertEqual((row["status"], row["attempts"], row["interruptions"]), ("done", 1, 0))

    def test_death_of_run_stops_the_pool(self):
        pool = self.running_pool()
        if pool.pid == pool.supervisor:
            self.skipTest("stint run is the supervisor itself")
        pool.signal(signal.SIGKILL)
        wait_until(self.is_stopping(pool), "stopping")
        self.open_gate()
        wait_until(lambda: not self.alive(), "nothing alive")
        self.assertEqual(self.run_of("k")["status"], "done")
        self.assertEqual(len(self.events("run_end")), 1)

    def test_tstp_stops_claiming_and_cont_goes_on(self):
        pool = self.pool()
        procs.kill(pool.supervisor, signal.SIGTSTP)
        wait_until(lambda: (pool.status() or {}).get("state") == "suspended", "suspended")
        self.stint("add", "quick", "q")
        # The keeper admits while suspended, so work after it has passed through the pool's hands.
        self.execute("INSERT INTO submit (job, item_key) VALUES ('quick', 'q2')")
        wait_until(lambda: self.statuses("q2"), "admitted")
        self.assertEqual((self.run_of("q")["status"], self.run_of("q2")["status"]),
                         ("pending", "pending"))
        procs.kill(pool.supervisor, signal.SIGCONT)
        self.wait_status("q", "quick", "done")
        self.wait_status("q2", "quick", "done")

    def test_ttin_and_ttou_change_the_number_of_workers(self):
        self.config("[job j]\nhandler = builtin noop\n", workers=2)
        pool = self.pool()
        procs.kill(pool.supervisor, signal.SIGTTIN)
        wait_until(lambda: len(pool.role_pids("stint-worker")) == 3, "a worker more")
        procs.kill(pool.supervisor, signal.SIGTTOU)
        wait_until(lambda: len(pool.role_pids("stint-worker")) == 2, "a worker fewer")
        procs.kill(pool.supervisor, signal.SIGTTOU)
        wait_until(lambda: len(pool.role_pids("stint-worker")) == 1, "one")
        self.assertEqual(self.events("worker.died"), [])
        self.stint("add", "j", "k")
        self.wait_status("k", "j", "done")

    def test_ttou_lets_a_busy_worker_finish(self):
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./hold\n", workers=2)
        self.stint("add", "j", "a", "b")
        pool = self.pool()
        wait_until(lambda: len(self.begun()) == 2, "both run")
        procs.kill(pool.supervisor, signal.SIGTTOU)
        wait_until(lambda: pool.status()["workers_target"] == 1, "target 1")
        self.open_gate()
        self.wait_status("a", "s", "done")
        self.wait_status("b", "s", "done")
        wait_until(lambda: len(pool.role_pids("stint-worker")) == 1, "one left")
        self.assertEqual(self.events("attempt.interrupted"), [])

    def test_usr2_dumps_the_state(self):
        pool = self.pool()
        before = len(pool.log())
        procs.kill(pool.supervisor, signal.SIGUSR2)
        wait_until(lambda: all(str(pid) in pool.log()[before:] for pid in
                               pool.role_pids("stint-worker")), lambda: pool.log()[before:])

    def test_hup_usr1_pipe_and_others_are_harmless(self):
        pool = self.running_pool()
        workers = pool.role_pids("stint-worker")
        for signum in (signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE, signal.SIGHUP):
            procs.kill(pool.supervisor, signum)
        for _ in range(50):
            procs.kill(pool.supervisor, signal.SIGHUP)
        self.assertTrue(pool.status())
        self.assertEqual(pool.role_pids("stint-worker"), workers)
        self.open_gate()
        self.wait_status("k", "s", "done")

    def test_any_signal_that_kills_a_worker_is_a_death(self):
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./hold\n", workers=1)
        self.stint("add", "j", "k")
        pool = self.pool()
        signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT)
        for n, signum in enumerate(signals[:3]):
            wait_until(lambda n=n: len(self.begun("k")) == n + 1, f"run {n + 1}")
            procs.kill(pool.role_pids("stint-worker")[0], signum)
        wait_until(lambda: len(self.begun("k")) == 4, "runs again")
        self.open_gate()
        row = self.wait_status("k", "s", "done")
        self.assertEqual((row["attempts"], row["interruptions"]), (1, 3))
        self.assertEqual(len(self.events("worker.died")), 3)
        self.assertEqual(len(self.events("attempt.interrupted", "k")), 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
