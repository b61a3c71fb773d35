"""What a handler is born with, and nothing else: golden lists seen from inside."""
import os
import subprocess
import unittest

import path  # noqa: F401
from stint_test import BIN, StintTest

SHOW = '''#!/usr/bin/env python3
import json, os
fds = {}
for n in os.listdir("/proc/self/fd"):
    try:
        fds[n] = os.readlink("/proc/self/fd/" + n)
    except OSError:
        pass  # the one of this listing
mask = os.umask(0)
print(json.dumps({"fds": fds, "env": dict(os.environ), "cwd": os.getcwd(), "umask": mask,
                  "exe": os.readlink("/proc/self/exe"), "pid": os.getpid(),
                  "sid": os.getsid(0), "pgid": os.getpgid(0)}))
'''
OWN = {"STINT_JOB", "STINT_ITEM", "STINT_STAGE", "STINT_ATTEMPT", "STINT_CLAIM", "STINT_POOL_ID"}
# Meant for the pool, or for the protocol between it and init: not for what it runs.
WITHHELD = {"STINT_POOL_LOG": "stderr", "STINT_JOB": "liar", "STINT_CONTROL_FD": "77",
            "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "LISTEN_FDS": "2", "LISTEN_PID": "1",
            "NOTIFY_SOCKET": "@no-such-socket"}


class Hygiene(StintTest):
    def drain(self, jobs, env=None, wrapper=(), pass_fds=()):
        """Runs the pool as a child that inherits more than it should."""
        self.config(jobs)
        self.stint("add", "j", "k")
        done = subprocess.run([*wrapper, f"{BIN}/stint", "run", "--drain"], cwd=self.dir,
                              env=self.environment(env), capture_output=True, timeout=120,
                              pass_fds=pass_fds, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.result_of("k", "j")

    def show(self, **more):
        self.write("handler", SHOW, 0o700)
        return self.drain("[job j]\nhandler = exec ./handler\nenv.MINE = a b\nenv.LANG = xx\n",
                          **more)

    def test_descriptors(self):
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        self.addCleanup(os.close, write)
        seen = self.show(pass_fds=(read, write))
        fds, control = seen["fds"], seen["env"].get("STINT_CONTROL_FD")
        self.assertEqual(set(fds), {"0", "1", "2"} | ({control} if control else set()))
        self.assertIn("memfd:stint-request", fds["0"])
        for n in set(fds) - {"0"}:
            self.assertTrue(fds[n].startswith("pipe:"), fds)
        self.assertEqual(len(set(fds.values())), len(fds))

    def test_environment(self):
        env = {**self.environment(), **WITHHELD, "MINE": "the pool's", "OTHER": "stays"}
        seen = self.show(env={**WITHHELD, "MINE": "the pool's", "OTHER": "stays"})["env"]
        for name in ("LC_CTYPE",):  # python's own doing
            seen.pop(name, None)
        expected = {k: v for k, v in env.items() if k not in WITHHELD}
        expected.update(MINE="a b", LANG="xx")
        expected.pop("LC_CTYPE", None)
        own = {k: v for k, v in seen.items() if k in OWN | {"STINT_CONTROL_FD"}}
        self.assertEqual({k: v for k, v in seen.items() if k not in own}, expected)
        self.assertEqual(set(own) - {"STINT_CONTROL_FD"}, OWN)
        self.assertEqual((own["STINT_JOB"], own["STINT_ITEM"], own["STINT_STAGE"],
                          own["STINT_ATTEMPT"]), ("j", "k", "j", "1"))
        self.assertRegex(own["STINT_CLAIM"], r"^\d+-\d+$")

    def test_session_directory_umask(self):
        seen = self.show(wrapper=("sh", "-c", 'umask 027; exec "$@"', "sh"))
        self.assertEqual(seen["sid"], seen["pid"])
        self.assertEqual(seen["pgid"], seen["pid"])
        self.assertEqual(os.path.realpath(seen["cwd"]), os.path.realpath(self.dir))
        self.assertEqual(seen["umask"], 0o027)

    def test_signals_and_privileges(self):
        """A program that changes nothing of its own shows what it was born with."""
        text = self.drain("[job j]\nhandler = exec cat /proc/self/status\n", wrapper=(
            "env", "--ignore-signal=PIPE", "--ignore-signal=HUP", "--ignore-signal=CHLD",
            "--block-signal=USR1", "--block-signal=TERM"))
        status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        for name in ("SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd"):
            self.assertEqual(int(status[name], 16), 0, name)
        self.assertEqual(status["NoNewPrivs"].strip(), "1")

    def test_standard_input_is_the_request_alone_and_cannot_be_changed(self):
        self.write("handler", '''#!/usr/bin/env python3
import json, os, sys
text = sys.stdin.read()
try:
    os.pwrite(0, b"x", 0)
    changed = True
except OSError:
    changed = False
print(json.dumps({"lines": text.count("\\n"), "end": text[-1], "type": json.loads(text)["type"],
                  "changed": changed}))
''', 0o700)
        seen = self.drain("[job j]\nhandler = exec ./handler\n")
        self.assertEqual(seen, {"lines": 1, "end": "\n", "type": "run", "changed": False})


if __name__ == "__main__":
    unittest.main(verbosity=2)
