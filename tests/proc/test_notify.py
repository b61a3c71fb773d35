"""What init is told: the notify socket, its watchdog, the ready descriptor; and by whom."""
import os
import select
import signal
import socket
import sqlite3
import subprocess
import time
import unittest

import path  # noqa: F401
import procs
from pool import Pool
from stint_test import BIN, StintTest
from waiting import wait_until


class Init:
    """A notify socket as init has it; messages as dicts, in the order in which they came."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)
        self.messages = []

    def read(self):
        while True:
            try:
                text = self.socket.recv(4096).decode()
            except BlockingIOError:
                return self.messages
            self.messages.append(dict(line.split("=", 1) for line in text.split("\n")))

    def saw(self, name):
        return [m for m in self.read() if name in m]

    def order(self, *names):
        """The messages of these kinds, by name, as they came."""
        return [n for m in self.read() for n in names if n in m]


class Notify(StintTest):
    def setUp(self):
        super().setUp()
        self.config("[job j]\nhandler = builtin noop\n")
        self.address = self.path("notify")

    def listen(self, address=None):
        init = Init(address or self.address)
        self.addCleanup(init.socket.close)
        return init

    def stintd(self, *args, env=None, address=None, **kwargs):
        pool = Pool(self.dir, [f"{BIN}/stintd", *args], self.environment(
            {"NOTIFY_SOCKET": address or self.address, **(env or {})}), **kwargs)
        self.pools.append(pool)
        return pool

    def assert_whole_life(self, init, pool):
        wait_until(lambda: init.saw("READY"), "READY")
        self.assertEqual(init.saw("READY")[0]["MAINPID"], str(pool.pid))
        pool.wait_ready()
        self.assertEqual(pool.stop(), 0)
        self.assertEqual(init.order("READY", "STOPPING"), ["READY", "STOPPING"])
        self.assertEqual(init.saw("STOPPING")[0]["STOPPING"], "1")

    def test_ready_then_stopping(self):
        init = self.listen()
        self.assert_whole_life(init, self.stintd())

    def test_init_is_asked_for_patience_while_another_program_holds_the_database(self):
        self.config("[job j]\nhandler = builtin noop\n", write_timeout="200ms")
        self.stint("add", "j", "k")
        db = sqlite3.connect(self.database, isolation_level=None)
        self.addCleanup(db.close)
        db.execute("BEGIN IMMEDIATE")
        init = self.listen()
        pool = self.stintd()
        wait_until(lambda: init.saw("EXTEND_TIMEOUT_USEC"), "asked")
        wait_until(lambda: any(f"waits for process {os.getpid()} " in m["STATUS"]
                               for m in init.saw("STATUS")), "told why")
        self.assertEqual(init.saw("READY"), [])
        db.execute("ROLLBACK")
        self.assert_whole_life(init, pool)

    def test_abstract_socket(self):
        name = f"stint-test-{os.urandom(8).hex()}"
        init = self.listen("\0" + name)
        self.assert_whole_life(init, self.stintd(address="@" + name))

    def test_ready_only_when_the_keeper_has_begun(self):
        init = self.listen()
        self.write("not-here/x", "")
        os.rename(self.path("not-here"), self.path("stint.db"))  # a directory: cannot be opened
        pool = self.stintd()
        self.assertNotEqual(pool.wait(), 0)
        self.assertEqual(init.saw("READY"), [])

    def test_status_says_workers_and_backlog_when_it_changes(self):
        self.ledger_script("hold", self.gate())
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./hold\n",
                    workers="1..2")
        init = self.listen()
        pool = self.stintd()
        wait_until(lambda: any("1 of 1 workers, 0 busy, keeper well, backlog 0" in m["STATUS"] for m in init.saw("STATUS")),
                   lambda: init.messages)
        self.stint("add", "j", *[str(n) for n in range(5)])
        wait_until(lambda: any("2 of 2 workers, 2 busy, keeper well, backlog 3" in m["STATUS"] for m in init.saw("STATUS")),
                   lambda: init.messages)
        told = [m["STATUS"] for m in init.saw("STATUS")]
        self.assertEqual([a for a, b in zip(told, told[1:]) if a == b], [])
        self.open_gate()
        pool.stop()

    def test_status_says_why_a_start_failed(self):
        self.config("[job j]\nhandlr = builtin noop\n")
        init = self.listen()
        self.assertEqual(self.stintd().wait(), 78)
        self.assertIn("stint.conf is not accepted", init.saw("STATUS")[-1]["STATUS"])

    def test_watchdog_at_half_of_its_time(self):
        init = self.listen()
        pool = self.stintd(env={"WATCHDOG_USEC": "1000000"})
        wait_until(lambda: len(init.saw("WATCHDOG")) >= 3, "signs of life")
        self.assertEqual(init.order("READY", "WATCHDOG")[0], "READY")
        pool.wait_ready()
        # A loop that stands still says nothing; one that goes on does.
        procs.kill(pool.pid, signal.SIGSTOP)
        wait_until(lambda: procs.state(pool.pid) == "T", "stopped")
        before = len(init.saw("WATCHDOG"))
        self.assertEqual(select.select([init.socket], [], [], 1.5)[0], [])
        procs.kill(pool.pid, signal.SIGCONT)
        wait_until(lambda: len(init.saw("WATCHDOG")) > before, "goes on")
        pool.stop()

    def test_watchdog_of_another_process_is_not_ours(self):
        for env in ({"WATCHDOG_USEC": "600000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "x"}, {}):
            with self.subTest(env=env):
                init = self.listen(self.path(f"n{len(env)}{len(self.pools)}"))
                pool = self.stintd(env=env, address=init.socket.getsockname())
                pool.wait_ready()
                self.stint("add", "j", f"k{len(self.pools)}")
                wait_until(lambda: self.statuses(f"k{len(self.pools)}").get("j") == "done", "done")
                self.assertEqual(pool.stop(), 0)
                self.assertEqual(init.saw("WATCHDOG"), [])
                self.assertEqual(init.order("READY", "STOPPING"), ["READY", "STOPPING"])

    def test_no_child_may_speak_for_us(self):
        self.script("show", "env; cat /proc/$PPID/environ | tr '\\0' '\\n'")
        self.config("[job j]\nhandler = exec ./show\n")
        self.stint("add", "j", "k")
        init = self.listen()
        pool = self.stintd(env={"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"})
        self.wait_status("k", "j", "done")
        seen = self.result_of("k", "j") + procs.read(pool.pid, "fd").decode()
        for pid in pool.wait_ready() and [pool.keeper(), *pool.role_pids("stint-worker")]:
            seen += procs.read(pid, "environ").decode()
        self.assertIn("STINT_ITEM=k", seen)
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
            self.assertNotIn(name, seen)
        pool.stop()
        self.assertTrue(init.saw("STOPPING"))

    def reload(self, init, pool, jobs):
        """The messages about the reload that HUP brings, and the clock before it."""
        before, now = len(init.read()), time.monotonic_ns() // 1000
        self.config(jobs)
        procs.kill(pool.pid, signal.SIGHUP)
        wait_until(lambda: [m for m in init.read()[before:] if "READY" in m], "READY again")
        return [m for m in init.read()[before:] if "READY" in m or "RELOADING" in m], now

    def test_reload_is_told_from_its_beginning_to_its_end(self):
        init = self.listen()
        pool = self.stintd()
        pool.wait_ready()
        jobs = "[job j]\nhandler = builtin noop\n"
        for n, more in enumerate((jobs, "[job k]\nhandler = builtin noop\n", "[job l]\nhandlr = x\n")):
            with self.subTest(n=n):
                told, now = self.reload(init, pool, jobs + (more if n else ""))
                self.assertEqual([list(m) for m in told],
                                 [["RELOADING", "MONOTONIC_USEC"], ["READY", "MAINPID"]])
                self.assertGreaterEqual(int(told[0]["MONOTONIC_USEC"]), now)
        # The last one was refused: the status says so, until a good one comes.
        wait_until(lambda: any("reload refused" in m["STATUS"] for m in init.saw("STATUS")),
                   "refused")
        self.assertIn("stint.conf:", init.saw("STATUS")[-1]["STATUS"])
        self.reload(init, pool, jobs)
        wait_until(lambda: "workers" in init.saw("STATUS")[-1]["STATUS"], "good again")
        pool.stop()

    def test_storm_of_hups_is_told_in_pairs(self):
        init = self.listen()
        pool = self.stintd()
        pool.wait_ready()
        for _ in range(50):
            procs.kill(pool.pid, signal.SIGHUP)
        wait_until(lambda: init.order("READY", "RELOADING")[-2:] == ["RELOADING", "READY"], "over")
        pool.stop()
        told = init.order("READY", "RELOADING", "STOPPING")
        self.assertEqual(told[0], "READY")
        self.assertEqual(told[-1], "STOPPING")
        self.assertEqual(set(zip(told[1:-1:2], told[2:-1:2])), {("RELOADING", "READY")})

    def fill(self):
        """A socket that takes nothing more, whose queue is full of our own messages."""
        init = self.listen()
        filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(filler.close)
        filler.setblocking(False)
        try:
            while True:
                filler.sendto(b"FILL=1", self.address)
        except BlockingIOError:
            return init

    def test_full_socket_neither_blocks_nor_kills(self):
        init = self.fill()
        pool = self.stintd()
        pool.wait_ready()
        self.stint("add", "j", "k")
        self.wait_status("k", "j", "done")
        # Room at last: nothing that matters was lost.
        wait_until(lambda: init.saw("READY"), "READY, later")
        pool.stop()
        self.assertEqual(init.order("READY", "STOPPING"), ["READY", "STOPPING"])

    def test_full_socket_to_the_end(self):
        self.fill()
        pool = self.stintd(env={"WATCHDOG_USEC": "1000000"})
        pool.wait_ready()
        self.assertEqual(pool.stop(), 0)

    def test_missing_closed_or_odd_sockets_are_borne(self):
        gone = self.listen(self.path("gone"))
        gone.socket.close()
        for n, address in enumerate((self.path("nowhere"), self.path("gone"), "relative", "@",
                                     "/" + "x" * 200)):
            with self.subTest(address=address):
                pool = self.stintd(address=address)
                pool.wait_ready()
                self.stint("add", "j", f"k{n}")
                self.wait_status(f"k{n}", "j", "done")
                self.assertEqual(pool.stop(), 0)

    def test_socket_that_comes_late_is_told_all(self):
        pool = self.stintd()
        pool.wait_ready()
        init = self.listen()
        wait_until(lambda: init.saw("READY"), "READY, late")
        pool.stop()
        self.assertEqual(init.order("READY", "STOPPING"), ["READY", "STOPPING"])


class ReadyDescriptor(StintTest):
    def setUp(self):
        super().setUp()
        self.config("[job j]\nhandler = builtin noop\n")

    def start(self, shell):
        """A shell line around stintd, so that descriptors can have any number; its pipe's end."""
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        self.assertLess(write, 8, "the shell knows no higher ones")
        # The shell execs: its pid is the supervisor's.
        script = self.script("start", shell.replace("STINTD", f"exec '{BIN}/stintd'")
                             .replace("PIPE", str(write)))
        os.set_inheritable(write, True)
        log = open(self.path("start.log"), "wb")
        process = subprocess.Popen([script], cwd=self.dir, env=self.environment(), stdout=log,
                                   stderr=log, stdin=subprocess.DEVNULL, pass_fds=[write])
        log.close()
        os.close(write)

        def end():
            if process.poll() is None:
                process.terminate()
            process.wait(60)
        self.addCleanup(end)
        return process, read

    def test_a_newline_when_ready_and_then_the_end(self):
        for shell in ("STINTD --ready-fd 8 8>&PIPE PIPE>&-", "STINTD --ready-fd 9 9>&PIPE PIPE>&-",
                      "STINTD --ready-fd PIPE"):
            with self.subTest(shell=shell):
                process, read = self.start(shell)
                self.assertEqual(os.read(read, 10), b"\n")
                # Closed here and in every child.
                self.assertEqual(os.read(read, 10), b"")
                self.assertIsNone(process.poll())
                process.terminate()
                self.assertEqual(process.wait(60), 0)

    def test_end_without_newline_when_the_start_fails(self):
        self.config("[job j]\nhandlr = x\n")
        process, read = self.start("STINTD --ready-fd PIPE")
        self.assertEqual(os.read(read, 10), b"")
        self.assertEqual(process.wait(60), 78)

    def test_reader_that_left_is_borne(self):
        process, read = self.start("STINTD --ready-fd PIPE")
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(null, read)
        os.close(null)
        pool_is_there = wait_until(lambda: os.path.exists(self.path("stint.sock")), "socket")
        self.assertTrue(pool_is_there)
        self.stint("add", "j", "k")
        self.wait_status("k", "j", "done")
        process.terminate()
        self.assertEqual(process.wait(60), 0)

    def test_bad_numbers_are_usage_errors(self):
        for text in ("", "x", "-1", "0", "1", "2", "3", "4000000000", "3.5", "999"):
            with self.subTest(text=text):
                result = self.stint("--ready-fd", text, code=2, program="stintd")
                self.assertIn("open for writing", result.err)

    def test_descriptor_that_cannot_be_written(self):
        script = self.script("start", f"exec '{BIN}/stintd' --ready-fd 3 3</dev/null")
        done = subprocess.run([script], cwd=self.dir, env=self.environment(), check=False,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
