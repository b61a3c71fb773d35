"""The pool under init: runit, s6, the LSB script, as PID 1; and what an installation puts where.

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
import control
import procs
from stint_test import BIN, ROOT, StintTest
from waiting import wait_until

INIT = f"{ROOT}/conf/init"
ROLES = ("stintd", "stint-keeper", "stint-worker", "stint-discover")
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
        with open(self.path("logs/current"), encoding="utf-8") as f:
            self.assertIn("event=pool.ready", f.read())

    def test_bad_configuration_is_not_tried_again(self):
        self.config("[job j]\nhandlr = x\n")
        self.start()
        def is_down():
            text = self.run_tool("sv", "status", self.service, code=None).stdout
            return text.startswith("down:") and "want up" not in text
        wait_until(is_down, "down for good")
        with open(self.path("logs/current"), encoding="utf-8") as f:
            text = f.read()
        self.assertIn("ended with 78", text)
        self.assertIn("handlr", text)
        self.config(QUICK)
        self.run_tool("sv", "up", self.service)
        self.wait_ready()


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
        with open(self.path("logs/current"), encoding="utf-8") as f:
            self.assertIn("event=pool.ready", f.read())

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


class User(InitTest):
    def setUp(self):
        super().setUp()
        self.need_root()
        self.nobody = pwd.getpwnam("nobody")
        # Where this tree lies may be closed to others: the programs come along.
        os.chmod(self.dir, 0o755)
        os.makedirs(self.path("open/bin"))
        for name in ("stint", *ROLES):
            shutil.copy(f"{BIN}/{name}", self.path("open/bin"))
        self.script("open/who", "id; echo home=$HOME user=$USER")
        self.write("open/stint.conf", "[pool]\nworkers = 1\n[job j]\nhandler = exec ./who\n", 0o644)
        for name in ("", "who", "stint.conf"):
            os.chown(self.path("open", name), self.nobody.pw_uid, self.nobody.pw_gid)

    def stintd(self, *args, code=0, **kwargs):
        return subprocess.run([self.path("open/bin/stintd"), "-c", self.path("open/stint.conf"),
                               *args], cwd="/", env=self.environment({"TMPDIR": "/"}), text=True,
                              capture_output=True, check=False, timeout=120, **kwargs)

    def test_root_becomes_the_user_before_anything_else(self):
        subprocess.run([self.path("open/bin/stint"), "-c", self.path("open/stint.conf"), "add", "j",
                        "k"], env=self.environment(), check=True, user="nobody", cwd="/",
                       capture_output=True)
        done = self.stintd("--user", "nobody", "--drain")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.database_path = self.path("open/stint.db")
        said = self.result_of("k", "j")
        self.assertIn(f"uid={self.nobody.pw_uid}(nobody)", said)
        self.assertNotIn("(root)", said)
        self.assertIn(f"home={self.nobody.pw_dir} user=nobody", said)
        for name in os.listdir(self.path("open")):
            if name.startswith("stint.db"):
                self.assertEqual(os.stat(self.path("open", name)).st_uid, self.nobody.pw_uid, name)

    @property
    def database(self):
        return self.path("open/stint.db")

    def test_no_such_user(self):
        done = self.stintd("--user", "no-such-user-here")
        self.assertEqual(done.returncode, 78)
        self.assertIn("there is no such user", done.stderr)
        self.assertFalse(os.path.exists(self.database))

    def test_only_root_can(self):
        done = self.stintd("--user", "root", user="nobody")
        self.assertEqual(done.returncode, 1)
        self.assertIn("needs root", done.stderr)
        self.assertFalse(os.path.exists(self.database))

    def test_who_is_that_user_already_goes_on(self):
        done = self.stintd("--user", "nobody", "--drain", user="nobody", group="nogroup",
                           extra_groups=[])
        self.assertEqual(done.returncode, 0, done.stderr)


class Installed(InitTest):
    def setUp(self):
        super().setUp()
        self.root = self.path("root")
        self.install()

    def install(self):
        env = {**self.environment(), "DESTDIR": self.root}
        done = subprocess.run(["meson", "install", "-C", BIN, "--no-rebuild"], env=env, check=False,
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def files(self):
        found = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                place = os.path.join(folder, name)
                found[os.path.relpath(place, self.root)] = os.stat(place).st_mode & 0o777
        return found

    def find(self, ending):
        found = [p for p in self.files() if ("/" + p).endswith("/" + ending)]
        self.assertEqual(len(found), 1, f"{ending}: {found}")
        return os.path.join(self.root, found[0])

    def test_everything_is_in_its_place(self):
        modes = {"bin/stint": 0o755, "sbin/stintd": 0o755, "stint/stint.conf": 0o644,
                 "lib/systemd/system/stint.service": 0o644, "lib/sysusers.d/stint.conf": 0o644,
                 "lib/tmpfiles.d/stint.conf": 0o644, "init.d/stint": 0o755,
                 "logrotate.d/stint": 0o644, "runit/run": 0o755, "runit/check": 0o755,
                 "runit/finish": 0o755, "runit/log/run": 0o755, "s6/run": 0o755,
                 "s6/finish": 0o755, "s6/log/run": 0o755, "s6/notification-fd": 0o644,
                 "examples/licences/stint.conf": 0o644, "examples/licences/report": 0o755,
                 "doc/stint/README.md": 0o644}
        modes.update({f"libexec/stint/{name}": 0o755 for name in ROLES[1:]})
        for ending, mode in modes.items():
            with self.subTest(ending):
                found = [m for p, m in self.files().items() if ("/" + p).endswith("/" + ending)
                         and (ending != "stint/stint.conf" or p.startswith(("etc", "usr/local/etc")))]
                self.assertEqual(found, [mode])
        for place in self.files():
            if "/init" in place or place.endswith(".service"):
                with open(os.path.join(self.root, place), encoding="utf-8") as f:
                    self.assertNotRegex(f.read(), r"@[A-Z]+@", place)

    def test_what_the_operator_changed_stays(self):
        for ending in ("init.d/stint", "logrotate.d/stint"):
            with open(self.find(ending), "a", encoding="utf-8") as f:
                f.write("# mine\n")
        self.install()
        for ending in ("init.d/stint", "logrotate.d/stint"):
            with open(self.find(ending), encoding="utf-8") as f:
                self.assertTrue(f.read().endswith("# mine\n"))

    def test_the_installed_programs_find_each_other(self):
        stint = self.find("bin/stint")
        self.run_tool(stint, "init", self.path("x"))
        done = subprocess.run([stint, "run", "--drain"], cwd=self.path("x"), check=False,
                              env=self.environment(), capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 1, done.stderr)  # some of its items fail by design
        self.assertIn("event=pool.stopped", done.stderr)
        self.run_tool(self.find("sbin/stintd"), "-c", self.path("stint.conf"), "--drain")

    def test_installed_configuration_is_right(self):
        conf = [p for p in self.files() if p.endswith("etc/stint/stint.conf")][0]
        with open(os.path.join(self.root, conf), encoding="utf-8") as f:
            self.assertIn("/lib/stint/stint.db", f.read())
        self.run_tool(self.find("bin/stint"), "-c", os.path.join(self.root, conf), "check")

    def test_systemd_verifies_the_unit(self):
        self.need("systemd-analyze")
        with open(self.find("systemd/system/stint.service"), encoding="utf-8") as f:
            unit = f.read()
        for name, ending in (("stintd", "sbin/stintd"), ("stint", "bin/stint")):
            unit = re.sub(rf"=\S*/{name} ", f"={self.find(ending)} ", unit)
        place = self.write("stint.service", unit, 0o644)
        done = self.run_tool("systemd-analyze", "verify", "--man=no", place)
        self.assertEqual(done.stdout + done.stderr, "")
        timeout = int(re.search(r"TimeoutStopSec=(\d+)s", unit)[1])
        self.assertGreater(timeout, 25 + 35)

    def test_sysusers_and_tmpfiles(self):
        self.need_root()
        self.need("systemd-sysusers", "systemd-tmpfiles")
        os.makedirs(f"{self.root}/etc", exist_ok=True)
        self.run_tool("systemd-sysusers", f"--root={self.root}", self.find("sysusers.d/stint.conf"))
        with open(f"{self.root}/etc/passwd", encoding="utf-8") as f:
            self.assertRegex(f.read(), r"(?m)^stint:x:\d+:\d+:stint pipeline runner:\S+/lib/stint:")
        self.run_tool("systemd-tmpfiles", f"--root={self.root}", "--create",
                      self.find("tmpfiles.d/stint.conf"))
        states = [os.path.join(d, "stint") for d, names, _ in os.walk(self.root)
                  if d.endswith("var/lib") or d.endswith("var/local/lib") and "stint" in names]
        self.assertEqual([os.stat(s).st_mode & 0o777 for s in states if os.path.isdir(s)], [0o700])


if __name__ == "__main__":
    unittest.main(verbosity=2)
