"""The worker's side of the resident protocol, for tests that speak to a handler directly."""
import json
import os
import select
import signal
import subprocess
import time

from waiting import GENEROUS


class Resident:
    """A process that is spoken to by lines of JSON; ended with the test at the latest."""

    def __init__(self, test, argv, env=None):
        self.test = test
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, cwd=test.dir,
                                        env=env or test.environment())
        self.rest = b""
        test.addCleanup(self.end)

    def say(self, **message):
        self.process.stdin.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, key, ident=1, **members):
        self.say(type="run", id=ident, key=key, **members)

    def hear(self):
        """The next message; None at the end of file."""
        end = time.monotonic() + GENEROUS
        while b"\n" not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise AssertionError(f"nothing is said; so far: {self.rest!r}")
            got = os.read(self.process.stdout.fileno(), 65536)
            if not got:
                self.test.assertEqual(self.rest, b"")
                return None
            self.rest += got
        line, self.rest = self.rest.split(b"\n", 1)
        return json.loads(line)

    def hear_outcome(self):
        """All messages up to an outcome."""
        said = [self.hear()]
        while said[-1] and said[-1]["type"] in ("hello", "progress", "checkpoint", "cost", "limit",
                                                "spawn", "log"):
            said.append(self.hear())
        return said

    def finish(self):
        """End of file; then the exit status and what it said on standard error."""
        self.process.stdin.close()
        self.process.stdin = None
        out, err = self.process.communicate(timeout=GENEROUS)
        self.test.assertEqual(out, b"")
        return self.process.returncode, err.decode()

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()
        self.process.wait()
