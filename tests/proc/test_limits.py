"""Limits of a stage, seen from inside a handler, and what is said of whoever reaches one."""
import os
import pwd
import stat
import subprocess
import unittest

import path  # noqa: F401
from stint_test import BIN, StintTest
from waiting import wait_until

ALL = ("cpu = 7s\nmemory = 1G\nopen_files = 64\nfile_size = 3M\nnice = 5\n")
SHOW = r'''exec python3 -c '
import json, os, resource as r
names = ["CPU", "AS", "NOFILE", "FSIZE"]
print(json.dumps({"limits": {n: r.getrlimit(getattr(r, "RLIMIT_" + n)) for n in names},
    "nice": os.nice(0), "ids": [os.getresuid(), os.getresgid()], "groups": os.getgroups(),
    "env": {k: os.environ.get(k) for k in ("HOME", "USER", "LOGNAME")}}))
'
'''
NOBODY = "nobody"


class Limits(StintTest):
    def one_attempt(self, body, limits, code=1):
        """Runs one item of a stage with these limits once; returns the event of its failure."""
        self.script("handler", body)
        self.config(f"[job j]\nstages = s\n[stage j.s]\nhandler = exec ./handler\n"
                    f"max_attempts = 2\nbackoff = 0s\n{limits}")
        self.stint("add", "j", "k")
        self.stint("run", "--drain", code=code)
        events = self.events("attempt.failed", "k")
        return events[0]["data"] if events else None

    def test_the_handler_has_what_the_stage_says(self):
        self.assertIsNone(self.one_attempt(SHOW, ALL, code=0))
        seen = self.result_of("k", "s")
        self.assertEqual(seen["limits"], {"CPU": [7, 9], "AS": [1 << 30, 1 << 30],
                                          "NOFILE": [64, 64], "FSIZE": [3 << 20, 3 << 20]})
        self.assertEqual(seen["nice"], os.nice(0) + 5)

    def test_without_limits_it_has_what_the_pool_has(self):
        import resource
        self.one_attempt(SHOW, "", code=0)
        seen = self.result_of("k", "s")
        for name, value in seen["limits"].items():
            self.assertEqual(tuple(value), resource.getrlimit(getattr(resource, "RLIMIT_" + name)),
                             name)
        self.assertEqual(seen["nice"], os.nice(0))

    def test_none_takes_back_what_the_job_says(self):
        self.script("handler", SHOW)
        self.config("[job j]\nstages = s\nopen_files = 32\ncpu = 3s\n[stage j.s]\n"
                    "handler = exec ./handler\nopen_files = none\n")
        self.stint("add", "j", "k")
        self.stint("run", "--drain")
        seen = self.result_of("k", "s")
        self.assertEqual(seen["limits"]["CPU"], [3, 5])
        self.assertNotEqual(seen["limits"]["NOFILE"][0], 32)
        shown = {(r["section"], r["key"]): r["value"] for r in self.stint(
            "config", "show", "--json").rows if r.get("key") in ("open_files", "cpu")}
        self.assertEqual(shown[("stage j.s", "open_files")], "none")
        self.assertEqual(shown[("stage j.s", "cpu")], "3s")

    def test_processor_time(self):
        data = self.one_attempt("while :; do :; done", "cpu = 1s\n")
        self.assertEqual((data["why"], data["how"]), ("cpu limit 1 s (cpu)", "cpu"))
        self.assertEqual(self.run_of("k")["status"], "exhausted")  # each try is counted

    def test_processor_time_of_one_that_ignores_the_warning(self):
        data = self.one_attempt("trap '' XCPU\nwhile :; do :; done", "cpu = 1s\n")
        self.assertEqual(data["why"], "cpu limit 1 s (cpu)")

    def test_file_size(self):
        data = self.one_attempt("head -c 2000000 /dev/zero >big", "file_size = 1M\n")
        self.assertEqual((data["why"], data["how"]),
                         ("file larger than 1M (file_size)", "file_size"))
        self.assertEqual(os.path.getsize(self.path("big")), 1 << 20)

    def test_memory(self):
        data = self.one_attempt('exec python3 -c "x = bytearray(300 << 20)"', "memory = 200M\n")
        self.assertIn(data["why"], ("MemoryError", "out of memory (memory = 200M)"))

    def test_open_files(self):
        data = self.one_attempt(
            'exec python3 -c "import os; [os.dup(0) for _ in range(99)]"', "open_files = 20\n")
        self.assertIn("Too many open files", data["why"])

    def test_a_result_that_is_too_large_names_size_and_key(self):
        data = self.one_attempt("head -c 100000 /dev/zero | tr '\\0' x", "output_size = 64K\n")
        self.assertIn("64 KB", data["why"])
        self.assertIn("output_size", data["why"])
        self.assertEqual(self.run_of("k")["status"], "failed")

    def test_wrong_values_are_told(self):
        self.config("[job j]\nhandler = builtin noop\ncpu = 10ms\nmemory = 4K\nopen_files = 2\n"
                    "file_size = 0\nnice = 20\nuser = a b\n")
        said = self.stint("check", code=78).err
        for key, text in (("cpu", "at least 1s"), ("memory", "at least 1M"),
                          ("open_files", "at least 8"), ("file_size", "is too small"),
                          ("nice", "at most 19"), ("user", "no user's name")):
            line = next(x for x in said.splitlines() if f": {key}: " in x)
            self.assertIn(text, line)

    def test_a_user_that_cannot_be_had_is_told(self):
        self.config("[job j]\nhandler = builtin noop\nuser = stint-no-such-user\n")
        self.assertIn("there is no such user", self.stint("check", code=78).err)
        self.stint("run", "--drain", code=78)

    @unittest.skipUnless(os.geteuid() == 0, "only root can give rights away")
    def test_another_user(self):
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./handler\n"
                    f"user = {NOBODY}\n")
        os.chmod(self.dir, 0o755)
        self.script("handler", "echo careful >/dev/stderr\n" + SHOW)
        os.chmod(self.path("handler"), 0o755)
        self.stint("check")
        self.stint("add", "j", "k")
        # A pool with a group that its handlers must not keep.
        done = subprocess.run([f"{BIN}/stint", "run", "--drain"], cwd=self.dir, timeout=120,
                              env=self.environment(), extra_groups=[4242], check=False,
                              capture_output=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        user = pwd.getpwnam(NOBODY)
        seen = self.result_of("k", "s")
        self.assertEqual(seen["ids"], [[user.pw_uid] * 3, [user.pw_gid] * 3])
        self.assertEqual(set(seen["groups"]) | {user.pw_gid},
                         set(os.getgrouplist(NOBODY, user.pw_gid)))
        self.assertEqual(seen["env"], {"HOME": user.pw_dir, "USER": NOBODY, "LOGNAME": NOBODY})

    @unittest.skipUnless(os.geteuid() == 0, "only root can give rights away")
    def test_another_user_that_may_not_enter_pauses_the_stage(self):
        self.config(f"[job j]\nstages = s\n[stage j.s]\nhandler = exec ./handler\nuser = {NOBODY}\n")
        self.script("handler", "true")
        os.chmod(self.dir, 0o700)
        self.stint("add", "j", "k")
        self.pool(is_ready=False)
        event = wait_until(lambda: self.events("stage.paused"), "paused")[0]
        self.assertIn(f"as user {NOBODY}", event["data"]["why"])
        self.assertIn(self.dir, event["data"]["why"])
        self.assertEqual(self.run_of("k")["attempts"], 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root can give rights away")
    def test_a_user_that_could_open_the_database_is_refused(self):
        self.config("[job j]\nhandler = builtin noop\n")
        self.stint("add", "j", "k")
        self.config(f"[job j]\nhandler = builtin noop\nuser = {NOBODY}\n")
        os.chmod(self.database, os.stat(self.database).st_mode | stat.S_IROTH)
        said = self.stint("check", code=78).err
        self.assertIn(f"user = {NOBODY}", said)
        self.assertIn(self.database, said)
        os.chmod(self.database, 0o600)
        self.stint("check")


if __name__ == "__main__":
    unittest.main(verbosity=2)
