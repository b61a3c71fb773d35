"""What the tests of init share: scripts rendered with paths of the test's own directory, tools with a
PATH as init has it, and the pool whoever started it.
"""
import os
import re
import shutil
import subprocess

import control
import procs
from stint_test import BIN, ROOT, StintTest
from waiting import wait_until

INIT = f"{ROOT}/conf/init"
ROLES = ("stintd", "stint-keeper", "stint-worker", "stint-discover", "stint-plugin")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
QUICK = "[job j]\nhandler = builtin noop\n"


class InitTest(StintTest):
    def setUp(self):
        super().setUp()
        self.config(QUICK)
        self.paths = {
            "SBINDIR": BIN, "BINDIR": BIN, "CONF": self.path("stint.conf"), "USER": "root",
            "LOGDIR": self.path("logs"), "STATEDIR": self.dir, "RUNDIR": self.path("run"),
            "SYSCONFDIR": self.path("etc"), "INITDIR": INIT, "DOCDIR": ROOT,
        }

    def environment(self, env=None):
        return super().environment({"PATH": SYSTEM_PATH, **(env or {})})

    def need(self, *programs):
        for name in programs:
            self.assertTrue(shutil.which(name, path=SYSTEM_PATH), f"{name} is not installed")

    def need_root(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")

    def render(self, name, to, mode=0o700):
        with open(f"{INIT}/{name}.in", encoding="utf-8") as f:
            text = re.sub(r"@([A-Z]+)@", lambda m: self.paths[m[1]], f.read())
        return self.write(to, text, mode)

    def wait_logged(self, *parts):
        """The log of a service is written by a program of its own, in its own time."""
        def is_there():
            try:
                with open(self.path("logs/current"), encoding="utf-8") as f:
                    text = f.read()
            except FileNotFoundError:
                return False
            return all(part in text for part in parts)
        wait_until(is_there, f"{parts} in its log")

    def run_tool(self, *argv, code=0, timeout=120):
        done = subprocess.run(argv, cwd=self.dir, env=self.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=timeout)
        if code is not None:
            self.assertEqual(done.returncode, code, f"{argv}\n{done.stdout}\n{done.stderr}")
        return done

    # -- the pool, whoever started it

    def status(self):
        try:
            return control.status(self.path("stint.sock"))
        except control.NoPool:
            return {}

    def is_full(self):
        found = self.status()
        return found.get("state") == "running" and found["workers"] == found["workers_target"]

    def ours(self):
        return [p for p in self.alive() if procs.comm(p) in ROLES]

    def assert_works(self, key, job="j"):
        self.stint("add", job, key)
        self.wait_status(key, job, "done")

    def assert_reloads(self, hup):
        """HUP takes a new job over."""
        self.config(QUICK + "[job later]\nhandler = builtin noop\n")
        hup()
        wait_until(lambda: self.value("SELECT id FROM jobs WHERE name = 'later'"), "reloaded")
        self.assert_works("after", "later")

    def assert_survives_kill(self, wait_ready):
        """kill -9 of the supervisor: its children are gone, another one takes over."""
        old = self.ours()
        pid = self.status()["pid"]
        procs.kill(pid)
        wait_until(lambda: self.status().get("pid", pid) != pid, "a new supervisor")
        wait_ready()
        wait_until(lambda: not set(old) & set(self.ours()), "the old ones are gone")
        self.assert_works("again")

    def assert_gone(self):
        wait_until(lambda: not self.ours(), lambda: [procs.describe(p) for p in self.ours()])
        self.assertEqual(self.status(), {})
        self.assertEqual(self.value("SELECT COUNT(*) FROM item_stages"
                                    " WHERE status = 'in_progress'"), 0)

    def scanner(self, *argv, end):
        """Starts runsvdir or s6-svscan; END is called at the end of the test, then all is gone."""
        log = open(self.path("scanner.log"), "ab")
        process = subprocess.Popen(argv, cwd=self.dir, env=self.environment(), stdout=log,
                                   stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        log.close()

        def finish():
            if process.poll() is None:
                end(process)
            process.wait(60)
            wait_until(lambda: not self.alive(), lambda: [procs.describe(p) for p in self.alive()])
        self.addCleanup(finish)
        return process
