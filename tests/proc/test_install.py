"""What an installation puts where, whether it works there, and the user that the pool becomes."""
import os
import pwd
import re
import shutil
import subprocess
import unittest

import path  # noqa: F401
from init_test import INIT, ROLES, InitTest
from stint_test import BIN


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

    def stintd(self, *args, **kwargs):
        return subprocess.run([self.path("open/bin/stintd"), "-c", self.path("open/stint.conf"),
                               *args], cwd="/", env=self.environment({"TMPDIR": "/"}), text=True,
                              capture_output=True, check=False, timeout=120, **kwargs)

    def test_root_becomes_the_user_before_anything_else(self):
        subprocess.run([self.path("open/bin/stint"), "-c", self.path("open/stint.conf"), "add", "j",
                        "k"], env=self.environment(), check=True, user="nobody", cwd="/",
                       capture_output=True)
        done = self.stintd("--user", "nobody", "--drain", extra_groups=[0, 4])
        self.assertEqual(done.returncode, 0, done.stderr)
        said = self.result_of("k", "j")
        self.assertIn(f"uid={self.nobody.pw_uid}(nobody)", said)
        self.assertNotIn("(root)", said)
        self.assertNotIn("(adm)", said)
        self.assertIn(f"home={self.nobody.pw_dir} user=nobody", said)
        for name in os.listdir(self.path("open")):
            if name.startswith("stint.db"):
                self.assertEqual(os.stat(self.path("open", name)).st_uid, self.nobody.pw_uid, name)

    def owners(self):
        return {name: os.stat(self.path("open", name)).st_uid
                for name in os.listdir(self.path("open")) if name.startswith("stint.db")}

    def add(self, key, **kwargs):
        return subprocess.run([self.path("open/bin/stint"), "-c", self.path("open/stint.conf"),
                               "add", "j", key], env=self.environment(), cwd="/", text=True,
                              capture_output=True, check=False, timeout=120, **kwargs)

    def test_what_root_adds_first_is_the_pools(self):
        self.assertEqual(self.add("k").returncode, 0)
        self.assertEqual(set(self.owners().values()), {self.nobody.pw_uid}, self.owners())
        done = self.stintd("--user", "nobody", "--drain")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"uid={self.nobody.pw_uid}(nobody)", self.result_of("k", "j"))

    def test_a_database_of_another_is_given_to_the_directorys_owner(self):
        self.assertEqual(self.add("k").returncode, 0)
        for log_only in (False, True):
            os.chown(self.database, self.nobody.pw_uid if log_only else 0, -1)
            # A log stays behind while somebody has the database open; here it is only a name.
            if log_only:
                os.chown(self.write("open/stint.db-wal", "", 0o600), 0, 0)
            cure = (f"chown -h {self.nobody.pw_uid}:{self.nobody.pw_gid} {self.database}")
            done = self.stintd("--user", "nobody", "--drain")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(cure, done.stderr)
            self.assertNotIn("sudo -u '#0'", done.stderr)
            for who in ("nobody", "root"):
                found = subprocess.run(
                    [self.path("open/bin/stint"), "-c", self.path("open/stint.conf"), "doctor",
                     "--json"], env=self.environment(), cwd="/", text=True, capture_output=True,
                    check=False, timeout=120, user=who)
                self.assertEqual(found.returncode, 1, found.stdout + found.stderr)
                self.assertIn(cure, found.stdout, who)
            subprocess.run(done.stderr[done.stderr.index("chown -h"):].split("\n")[0].strip('"'),
                           shell=True, check=True)
            done = self.stintd("--user", "nobody", "--drain")
            self.assertEqual(done.returncode, 0, done.stderr)

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
                 "doc/stint/README.md": 0o644, "doc/stint/handlers.md": 0o644,
                 **{f"share/stint/handlers/stint.{x}": 0o644 for x in ("py", "js", "sh")},
                 "include/stint-plugin.h": 0o644}
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

    def test_who_may_not_write_there_is_told_how(self):
        self.need_root()
        os.chmod(self.dir, 0o755)
        script = shutil.copy(f"{INIT}/install-once", self.dir)
        source = self.write("mine", "x", 0o644)
        os.mkdir(self.path("closed"), 0o755)
        for place in ("closed", "closed/below"):
            done = subprocess.run([script, source, self.path(place), "x.conf", "0644"], check=False,
                                  capture_output=True, text=True, user="nobody", cwd="/", env={})
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"{place}/x.conf cannot be written", done.stderr)
            self.assertIn("--sysconfdir=etc", done.stderr)
        self.assertEqual(os.listdir(self.path("closed")), [])

    def test_the_installed_programs_find_each_other(self):
        stint = self.find("bin/stint")
        self.run_tool(stint, "init", self.path("x"))
        done = subprocess.run([stint, "run", "--drain"], cwd=self.path("x"), check=False,
                              env=self.environment(), capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 1, done.stderr)  # some of its items fail by design
        self.assertIn("event=pool.stopped", done.stderr)
        self.run_tool(self.find("sbin/stintd"), "-c", self.path("stint.conf"), "--drain")

    def test_the_handler_examples_find_libraries_and_header(self):
        self.need("cc")
        self.run_tool(self.find("examples/handlers/prepare"), self.path("x"), self.path("tmp"))
        for name in ("stint.py", "stint.js", "stint.sh", "count_exec", "count_plugin.so"):
            self.assertTrue(os.path.exists(self.path("x", name)), name)
        self.run_tool(self.find("bin/stint"), "-c", self.path("x", "stint.conf"), "check")

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
