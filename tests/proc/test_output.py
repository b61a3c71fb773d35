"""What a failed attempt leaves behind: the ends of its output, the certificate of its process."""
import unittest

import path  # noqa: F401
from stint_test import StintTest
from waiting import wait_until


MESSAGES = r'''
echo '{"type":"log","level":"warn","text":"look\u001b[2J out"}' >&3
echo '{"type":"progress","done":3,"total":10}' >&3
echo "to stderr" >&2
'''
RESIDENT = '''#!/usr/bin/env python3
import json, os, sys
def say(**message):
    os.write(1, (json.dumps(message) + "\\n").encode())
say(type="hello", protocol=1)
for line in sys.stdin:
    run = json.loads(line)
    if run["type"] != "run":
        continue
    say(type="log", id=run["id"], level="warn", text="look\\x1b[2J out")
    say(type="progress", id=run["id"], done=3, total=10)
    print("to stderr", file=sys.stderr, flush=True)
    while run["key"] == "k":
        pass
    say(type="done", id=run["id"])
'''


class Output(StintTest):
    def fail_once(self, body, limits=""):
        self.script("handler", body)
        self.config(f"[job j]\nstages = s\n[stage j.s]\nhandler = exec ./handler\n"
                    f"max_attempts = 2\nbackoff = 0s\n{limits}")
        self.stint("add", "j", "k")
        self.stint("run", "--drain", code=1)
        return [event["data"] for event in self.events("attempt.failed", "k")]

    def test_both_tails_and_the_certificate_of_each_attempt(self):
        first, second = self.fail_once('echo "out $STINT_ATTEMPT"; echo "err $STINT_ATTEMPT" >&2\n'
                                       '[ "$STINT_ATTEMPT" = 1 ] || kill -SEGV $$\nexit 3')
        self.assertEqual((first["stdout"], first["stderr"]), ("out 1\n", "err 1\n"))
        self.assertEqual((second["stdout"], second["stderr"]), ("out 2\n", "err 2\n"))
        self.assertEqual(first["handler"]["exit"], 3)
        self.assertEqual(second["handler"]["signal"], 11)
        for data in (first, second):
            self.assertGreater(data["handler"]["max_rss_kib"], 100)
            self.assertGreater(data["handler"]["pid"], 1)
            self.assertNotIn("oom", data["handler"])
        shown = self.stint("show", "j", "k").out
        self.assertIn("handler of s, attempt 1, pid", shown)
        self.assertIn("exit 3; used", shown)
        self.assertIn("signal 11 (SIGSEGV); used", shown)
        self.assertIn("standard error of s, attempt 2:\n    err 2\n", shown)
        self.assertIn("stint logs 'job:j key:k'\n", shown)
        self.assertIn("standard output of s, attempt 2:\n    out 2\n", shown)

    def test_the_processor_time_of_its_children_is_its_own(self):
        data = self.fail_once("(i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done)\nexit 1")[0]
        self.assertGreater(data["handler"]["user_s"], 0)

    def test_only_the_end_is_kept(self):
        data = self.fail_once("seq 1 5000; seq 1 5000 >&2; exit 1", "stderr_tail = 1K\n")[0]
        for stream in ("stdout", "stderr"):
            self.assertLessEqual(len(data[stream]), 1024)
            self.assertGreater(len(data[stream]), 1000)
            self.assertTrue(data[stream].endswith("4999\n5000\n"))

    def test_nothing_is_kept_where_nothing_is_wanted(self):
        data = self.fail_once("echo x; echo x >&2; exit 1", "stderr_tail = 0\n")[0]
        self.assertNotIn("stdout", data)
        self.assertNotIn("stderr", data)

    def test_control_characters_reach_no_terminal(self):
        body = "printf 'a\\033]0;evil\\007\\tb\\302\\233c\\377\\000d\\n' >&2\n"
        self.fail_once(body + body.replace(" >&2", "") + "exit 1")
        for command in (("show", "j", "k"), ("ls",), ("status",), ("events",)):
            said = self.stint(*command).out
            bad = [c for c in said if ord(c) < 32 and c != "\n" or 127 <= ord(c) < 160]
            self.assertEqual(bad, [], command)

    def assert_traces(self, data):
        self.assertEqual(data["log"], "warn: look\x1b[2J out\n")
        self.assertEqual(data["stderr"], "to stderr\n")
        self.assertEqual(data["handler"]["progress"], {"done": 3, "total": 10})
        self.assertIn("last progress: 3 done, 10 total", self.stint("show", "j", "k").out)
        rows = self.stint("--json", "logs", "key:k", "--limit", "1").rows
        self.assertEqual([(r["stream"], r["text"]) for r in rows[:2]],
                         [("stderr", "to stderr"), ("log", "warn: look\x1b[2J out")])
        self.assertNotIn("\x1b", self.stint("logs", "key:k").out)

    def test_messages_of_exec(self):
        data = self.fail_once(MESSAGES + "exit 3")[0]
        self.assert_traces(data)
        self.assertEqual(data["why"], "to stderr")  # a log message is no error

    def test_messages_and_limits_of_a_resident(self):
        self.write("handler", RESIDENT, 0o700)
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = resident ./handler\n"
                    "max_attempts = 1\nbackoff = 0s\ncpu = 1s\n", workers=1)
        self.stint("add", "j", "good", "k")
        self.stint("run", "--drain", code=1)
        data = self.events("attempt.failed", "k")[0]["data"]
        self.assertEqual((data["why"], data["how"]), ("cpu limit 1 s (cpu)", "cpu"))
        self.assertEqual(data["handler"]["signal"], 24)
        self.assertGreater(data["handler"]["user_s"] + data["handler"]["system_s"], 0)
        self.assert_traces(data)
        self.assertEqual(self.run_of("good")["status"], "done")

    def test_messages_are_shown_live(self):
        wait = self.gate()
        self.script("handler", MESSAGES + wait)
        self.config("[job j]\nhandler = exec ./handler\n")
        self.pool()
        self.stint("add", "j", "k")
        rows = wait_until(lambda: len(r := self.stint("--json", "logs", code=None).rows) == 2 and r,
                          "both")
        self.assertEqual({(r["stream"], r["text"]) for r in rows},
                         {("stderr", "to stderr"), ("warn", "look\x1b[2J out")})
        self.open_gate()
        self.wait_status("k", "j", "done")

    def test_what_is_done_leaves_nothing(self):
        self.script("handler", "echo 1; echo noise >&2")
        self.config("[job j]\nhandler = exec ./handler\n")
        self.stint("add", "j", "k")
        self.stint("run", "--drain")
        self.assertEqual(self.events("attempt.failed"), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
