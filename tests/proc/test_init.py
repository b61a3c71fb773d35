"""The pool under init: runit, s6, the LSB script, and as PID 1.

Scripts are rendered from conf/init with paths of the test's own directory, so nothing outside of it
is touched and no service of this machine is started or stopped.
"""
import os
import pwd
import re
import shutil
import signal
import subprocess
import unittest

import path  # noqa: F401
import procs
from init_test import INIT, QUICK, InitTest
from stint_test import BIN
from waiting import wait_until


class Runit(InitTest):
    def setUp(self):
        super().setUp()
        self.need("runsvdir", "sv", "chpst", "svlogd")
        for name in ("run", "check", "finish", "log/run"):
            self.render(f"runit/{name}", f"scan/stint/{name}")
        self.service = self.path("scan/stint")

    def start(self):
        self.scanner("runsvdir", "-P", self.path("scan"),
                     end=lambda p: procs.kill(p.pid, signal.SIGHUP))
        wait_until(lambda: os.path.exists(f"{self.service}/supervise/ok"), "runsv")

    def wait_ready(self):
        self.run_tool("sv", "-w", "60", "check", self.service)
        wait_until(self.is_full, "full")

    def test_whole_life(self):
        self.start()
        self.wait_ready()
        with open(f"{self.service}/supervise/pid", encoding="ascii") as f:
            self.assertEqual(int(f.read()), self.status()["pid"])
        self.assert_works("first")
        self.assert_reloads(lambda: self.run_tool("sv", "hup", self.service))
        self.assert_survives_kill(self.wait_ready)
        self.run_tool("sv", "-w", "90", "stop", self.service)
        self.assert_gone()
        self.assertEqual(len(self.events("run_end")), 1)
        self.run_tool("sv", "-w", "60", "start", self.service)
        self.wait_ready()
        self.assert_works("last")
        self.wait_logged("event=pool.ready")

    def test_bad_configuration_is_not_tried_again(self):
        self.config("[job j]\nhandlr = x\n")
        self.start()
        def is_down():
            text = self.run_tool("sv", "status", self.service, code=None).stdout
            return text.startswith("down:") and "want up" not in text
        wait_until(is_down, "down for good")
        self.wait_logged("ended with 78", "handlr")
        self.config(QUICK)
        self.run_tool("sv", "up", self.service)
        self.wait_ready()


class StateDirectory(InitTest):
    """The run scripts make the directory of the database, for the user that the pool becomes."""

    SCRIPTS = ("runit/run", "s6/run")

    def setUp(self):
        super().setUp()
        self.need_root()
        self.paths["STATEDIR"] = self.path("var/lib/stint")
        self.script("stintd", 'echo "started $*"')
        self.paths["SBINDIR"] = self.dir

    def run_script(self, name):
        done = self.run_tool(self.render(name, "run"))
        self.assertIn("started --user", done.stdout)

    def test_it_is_made_for_the_user(self):
        self.paths["USER"] = "nobody"
        for name in self.SCRIPTS:
            with self.subTest(name):
                self.run_script(name)
                found = os.stat(self.paths["STATEDIR"])
                self.assertEqual(found.st_mode & 0o777, 0o700)
                self.assertEqual(found.st_uid, pwd.getpwnam("nobody").pw_uid)
                os.rmdir(self.paths["STATEDIR"])

    def test_one_that_is_there_is_left_alone(self):
        os.makedirs(self.paths["STATEDIR"], mode=0o755)
        self.paths["USER"] = "nobody"
        for name in self.SCRIPTS:
            self.run_script(name)
        self.assertEqual(os.stat(self.paths["STATEDIR"]).st_uid, 0)

    def test_without_the_user_nothing_is_made_and_stintd_says_so(self):
        self.paths["USER"] = "no-such-user-here"
        for name in self.SCRIPTS:
            self.run_script(name)
        self.assertFalse(os.path.exists(self.paths["STATEDIR"]))

    def test_lsb(self):
        os.mkdir(self.path("run"))
        self.paths["USER"] = "nobody"
        self.run_tool(self.render("sysv/stint", "lsb"), "start", code=None)
        self.assertEqual(os.stat(self.paths["STATEDIR"]).st_uid, pwd.getpwnam("nobody").pw_uid)


class S6(InitTest):
    def setUp(self):
        super().setUp()
        self.need("s6-svscan", "s6-svc", "s6-svwait", "s6-log", "s6-setuidgid")
        for name in ("run", "finish", "log/run"):
            self.render(f"s6/{name}", f"scan/stint/{name}")
        self.service = self.path("scan/stint")
        for name in ("notification-fd", "timeout-kill"):
            shutil.copy(f"{INIT}/s6/{name}", self.service)

    def start(self):
        self.scanner("s6-svscan", self.path("scan"), end=lambda p: self.run_tool(
            "s6-svscanctl", "-t", self.path("scan")))
        wait_until(lambda: os.path.exists(f"{self.service}/supervise/status"), "s6-supervise")

    def wait_ready(self):
        self.run_tool("s6-svwait", "-U", "-t", "60000", self.service)
        self.assertEqual(self.status()["state"], "running")
        wait_until(self.is_full, "full")

    def test_whole_life(self):
        self.start()
        self.wait_ready()
        self.assert_works("first")
        self.assert_reloads(lambda: self.run_tool("s6-svc", "-h", self.service))
        self.assert_survives_kill(self.wait_ready)
        self.run_tool("s6-svc", "-wD", "-T", "90000", "-d", self.service)
        self.assert_gone()
        self.assertEqual(len(self.events("run_end")), 1)
        self.run_tool("s6-svc", "-wU", "-T", "60000", "-u", self.service)
        self.assert_works("last")
        self.wait_logged("event=pool.ready")

    def test_bad_configuration_is_not_tried_again(self):
        self.config("[job j]\nhandlr = x\n")
        self.start()
        wait_until(lambda: self.run_tool("s6-svstat", "-o", "up,wantedup", self.service)
                   .stdout.strip() == "false false", "down for good")
        self.config(QUICK)
        self.run_tool("s6-svc", "-wU", "-T", "60000", "-u", self.service)
        self.assert_works("k")


class Lsb(InitTest):
    def setUp(self):
        super().setUp()
        self.need("setsid", "start-stop-daemon")
        os.mkdir(self.path("run"))
        # Nobody's syslog is bothered.
        self.write("etc/default/stint", f"log='file {self.path('stint.log')}'\n")
        self.script_path = self.render("sysv/stint", "init.d-stint")
        self.addCleanup(lambda: self.run_tool(self.script_path, "stop", code=None))

    def act(self, what, code=0):
        return self.run_tool(self.script_path, what, code=code)

    def test_whole_life(self):
        self.act("status", code=3)
        self.act("start")
        self.assertEqual(self.status()["state"], "running")
        with open(self.path("run/stint.pid"), encoding="ascii") as f:
            pid = int(f.read())
        self.assertEqual(pid, self.status()["pid"])
        self.assertEqual(os.getsid(pid), pid)
        self.assertIn(str(pid), self.act("status").stdout)
        self.assertIn("already", self.act("start").stdout)
        self.assert_works("first")
        self.assert_reloads(lambda: self.act("reload"))
        self.act("restart")
        self.assertNotEqual(self.status()["pid"], pid)
        self.act("force-reload")
        self.assert_works("second")
        self.act("stop")
        self.assert_gone()
        self.assertFalse(os.path.exists(self.path("run/stint.pid")))
        self.act("stop")
        self.act("status", code=3)
        self.act("reload", code=7)
        self.act("try-restart")
        self.assertEqual(self.ours(), [])

    def test_refusals_are_said(self):
        self.config("[job j]\nhandlr = x\n")
        self.assertIn("handlr", self.act("start", code=1).stderr)
        self.act("status", code=3)
        self.config(QUICK)
        self.act("start")
        self.config("[job j]\nhandlr = x\n")
        done = self.act("reload", code=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("handlr", done.stdout + done.stderr)
        self.act("stop")

    def test_dead_with_a_stale_pid_file(self):
        self.act("start")
        procs.kill(self.status()["pid"])
        wait_until(lambda: not self.ours(), "dead")
        self.act("status", code=1)
        # Its number belongs to somebody else now, who must not be harmed.
        self.write("run/stint.pid", f"{os.getpid()}\n")
        self.act("stop")
        self.act("start")
        self.assert_works("k")
        self.act("stop")

    def test_without_start_stop_daemon(self):
        os.mkdir(self.path("bin"))
        for name in ("cat", "sleep", "setsid", "mktemp", "rm", "sh", "readlink"):
            os.symlink(shutil.which(name), self.path("bin", name))
        with open(self.script_path, encoding="utf-8") as f:
            text = f.read()
        self.write("init.d-stint", re.sub(r"^PATH=.*$", f"PATH={self.path('bin')}", text,
                                          flags=re.M), 0o700)
        self.act("start")
        self.act("stop")
        self.assert_gone()

    def test_headers(self):
        with open(self.script_path, encoding="utf-8") as f:
            text = f.read()
        header = text.split("### BEGIN INIT INFO\n")[1].split("### END INIT INFO\n")[0]
        for key in ("Provides", "Required-Start", "Required-Stop", "Default-Start", "Default-Stop",
                    "Short-Description", "Description"):
            self.assertRegex(header, rf"(?m)^# {key}: +\S")
        self.act("nonsense", code=2)


class PidOne(InitTest):
    def start(self, *argv):
        self.need_root()
        self.need("unshare", "nsenter")
        unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        if self.run_tool(*unshare, "true", code=None).returncode != 0:
            self.skipTest("the kernel refuses a pid namespace")
        log = open(self.path("one.log"), "ab")
        process = subprocess.Popen([*unshare, *argv], cwd=self.dir, env=self.environment(),
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True)
        log.close()

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
        self.addCleanup(end)
        wait_until(self.is_full, self.log)
        return process, procs.children(process.pid)[0]

    def log(self):
        with open(self.path("one.log"), encoding="utf-8") as f:
            return f.read()

    def leave_orphan(self, one):
        """A process whose parent has ended inside; it waits for the gate. Its pid out here."""
        gate = self.gate("orphan")
        self.script("orphan.sh", f"({gate}) >/dev/null 2>&1 &")
        self.run_tool("nsenter", "-t", str(one), "-p", "-m", "--", self.path("orphan.sh"))
        return wait_until(lambda: [p for p in procs.children(one) if procs.comm(p) == "orphan.sh"],
                          "adopted")[0]

    def whole_life(self, *argv):
        process, one = self.start(*argv)
        self.assertIn("NSpid:", procs.read(one, "status").decode())
        self.assertEqual(procs.read(one, "status").decode().split("NSpid:")[1].split("\n")[0]
                         .split()[-1], "1")
        self.assert_works("first")
        self.assert_reloads(lambda: procs.kill(one, signal.SIGHUP))
        orphan = self.leave_orphan(one)
        self.open_gate("orphan")
        wait_until(lambda: procs.state(orphan) == "", "reaped, not only ended")
        worker = [p for p in procs.descendants(one) if procs.comm(p) == "stint-worker"][0]
        procs.kill(worker)
        wait_until(lambda: procs.state(worker) == "", "dead")
        wait_until(self.is_full, "refilled")
        for signum in (signal.SIGPIPE, signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2):
            procs.kill(one, signum)
        self.assert_works("second")
        procs.kill(one, signal.SIGTERM)
        self.assertEqual(process.wait(60), 0, self.log())
        self.assert_gone()
        self.assertEqual(len(self.events("run_end")), 1)

    def test_stintd(self):
        self.whole_life(f"{BIN}/stintd")

    def test_stint_run(self):
        self.whole_life(f"{BIN}/stint", "run")

    def test_killed_with_all_and_started_again(self):
        process, one = self.start(f"{BIN}/stintd")
        self.assert_works("first")
        procs.kill(one)
        process.wait(60)
        wait_until(lambda: not self.ours(), "all gone")
        process, one = self.start(f"{BIN}/stintd")
        self.assert_works("second")
        procs.kill(one, signal.SIGTERM)
        self.assertEqual(process.wait(60), 0, self.log())


if __name__ == "__main__":
    unittest.main(verbosity=2)
