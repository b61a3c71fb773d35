"""stint logs: what handlers said, of failed attempts and of running ones."""
import json
import os
import subprocess
import unittest

import path  # noqa: F401
import procs
from stint_test import BIN, StintTest
from waiting import wait_until


class Logs(StintTest):
    def follow(self, *args):
        """Starts `stint logs -f`; returns a function that gives all lines so far."""
        out = open(self.path("followed"), "wb")
        self.addCleanup(out.close)
        with open(self.path("talk"), "wb") as err:
            self.follower = subprocess.Popen(
                [f"{BIN}/stint", "--json", "logs", "-f", *args], cwd=self.dir, stdout=out,
                stderr=err, stdin=subprocess.DEVNULL, env=self.environment())
        self.addCleanup(self.end_follower)

        def lines():
            with open(self.path("followed"), encoding="utf-8") as f:
                return [json.loads(x) for x in f.read().splitlines(True) if x.endswith("\n")]
        return lines

    def end_follower(self):
        if self.follower.poll() is None:
            self.follower.kill()
        self.follower.wait()

    def test_of_failed_attempts(self):
        self.script("handler", 'echo "bad $STINT_ATTEMPT" >&2; echo more >&2; echo out; exit 3')
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./handler\n"
                    "max_attempts = 2\nbackoff = 0s\n[job k]\nhandler = builtin noop\n")
        self.stint("add", "j", "a", "b")
        self.stint("add", "k", "c")
        self.stint("run", "--drain", code=1)
        rows = self.stint("--json", "logs", "job:j", "key:a").rows
        self.assertEqual({(r["job"], r["stage"], r["key"], r["schema"]) for r in rows},
                         {("j", "s", "a", "stint.log/1")})
        self.assertEqual([(r["attempt"], r["stream"], r["text"]) for r in rows], [
            (1, "stderr", "bad 1"), (1, "stderr", "more"), (1, "stdout", "out"),
            (1, "end", "exit 3: more → retry_later"),
            (2, "stderr", "bad 2"), (2, "stderr", "more"), (2, "stdout", "out"),
            (2, "end", "exit 3: more → exhausted")])
        said = self.stint("logs", "job:j", "key:a", "--limit", "1").out
        self.assertNotIn("bad 1", said)
        self.assertIn(" j.s a #2 stderr: bad 2\n", said)
        self.stint("logs", "job:k", code=5)
        self.assertIn("^", self.stint("logs", "jb:k=", code=2).err)

    def test_of_running_attempts(self):
        wait = self.gate()
        self.script("handler", f"echo 'I am here' >&2; printf partial >&2\n{wait}\necho ' end' >&2")
        self.config("[job j]\nhandler = exec ./handler\n")
        self.pool()
        self.stint("add", "j", "k")
        rows = wait_until(lambda: self.stint("--json", "logs", "j.none", code=None).rows
                          or self.stint("--json", "logs", "job:j", code=None).rows, "said")
        self.assertEqual([(r["text"], r["stream"], r["key"], r["attempt"]) for r in rows],
                         [("I am here", "stderr", "k", 1)])
        self.assertEqual(rows[0]["claim"].count("-"), 1)
        self.stint("logs", "job:j -key:k", code=5)
        self.stint("logs", "job:j", "status:failed", code=5)
        self.open_gate()
        self.wait_status("k", "j", "done")
        texts = [r["text"] for r in self.stint("--json", "logs", "job:j").rows]
        self.assertEqual(texts, ["I am here", "partial end"])

    def test_follow(self):
        wait = self.gate()
        self.script("handler", f"echo \"one $STINT_ITEM\" >&2\n{wait}\necho two >&2; exit 3")
        self.config("[job j]\nhandler = exec ./handler\nmax_attempts = 1\n", workers=2)
        pool = self.pool()
        lines = self.follow("job:j -key:quiet")
        self.stint("add", "j", "k", "quiet")
        wait_until(lambda: [x["text"] for x in lines()] == ["one k"], lines)
        self.open_gate()
        wait_until(lambda: [x["text"] for x in lines()] == ["one k", "two"], lines)
        self.stint("stop")
        pool.wait()
        wait_until(lambda: self.follower.poll() is not None, "it ends with the pool")
        self.assertEqual(self.follower.returncode, 0)

    def test_follow_outlives_a_worker_that_is_killed(self):
        wait = self.gate()
        self.script("handler", f"echo \"try $$\" >&2\n{wait}")
        self.config("[job j]\nhandler = exec ./handler\n", workers=1)
        pool = self.pool()
        lines = self.follow()
        self.stint("add", "j", "k")
        wait_until(lambda: len(lines()) == 1, lines)
        procs.kill(pool.worker_pids()[0])
        wait_until(lambda: len(lines()) == 2, lines)
        self.assertNotEqual(lines()[0]["text"], lines()[1]["text"])
        self.assertNotEqual(lines()[0]["claim"], lines()[1]["claim"])
        self.open_gate()

    def test_a_flood_is_bounded_and_told(self):
        self.script("handler", "seq 1 2000000 >&2; echo last >&2")
        self.config("[job j]\nhandler = exec ./handler\n")
        self.pool()
        self.stint("add", "j", "k")
        self.wait_status("k", "j", "done")
        rows = self.stint("--json", "logs").rows
        self.assertLess(sum(len(r["text"]) for r in rows), 65536)
        self.assertEqual(rows[-1]["text"], "last")
        self.assertTrue([r for r in rows if "bytes left out" in r["text"]])

    def test_nobody_reads(self):
        wait = self.gate()
        self.script("handler", f"echo x >&2\n{wait}")
        self.config("[job j]\nhandler = exec ./handler\n")
        self.pool()
        read, write = os.pipe()
        process = subprocess.Popen([f"{BIN}/stint", "logs", "-f"], cwd=self.dir, stdout=write,
                                   env=self.environment(), stderr=subprocess.DEVNULL)
        os.close(write)
        os.close(read)
        wait_until(lambda: process.poll() is not None, "it leaves")

    def test_without_a_pool(self):
        self.config("[job j]\nhandler = builtin noop\n")
        self.assertIn("nothing found yet", self.stint("logs", code=5).err)
        self.stint("add", "j", "k")
        self.assertIn("nothing was said", self.stint("logs", code=5).err)
        self.assertIn('did you mean', self.stint("logs", "job:jj", code=5).err)
        self.assertIn("no stage run matches", self.stint("logs", "key:nosuch", code=5).err)
        self.assertIn("stint run", self.stint("logs", "-f", code=3).err)

    def test_nothing_is_left_after_the_pool_is_killed(self):
        self.script("handler", "echo x >&2; exec tail -f /dev/null")
        self.config("[job j]\nhandler = exec ./handler\n")
        pool = self.pool()
        before = set(os.listdir(self.dir))
        self.stint("add", "j", "k")
        wait_until(lambda: self.stint("logs", code=None).out, "said")
        pool.kill_all()
        self.assertEqual(set(os.listdir(self.dir)) - before, set())
        self.stint("cancel", "-y", "job:j", code=None)
        self.stint("run", "--drain", code=None)  # and the next one ends what was left running


if __name__ == "__main__":
    unittest.main(verbosity=2)
