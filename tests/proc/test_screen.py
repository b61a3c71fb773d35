"""What a terminal, a pipe and a reader that leaves see: colour, talk, events that are followed."""
import json
import os
import pty
import subprocess
import unittest

import path  # noqa: F401
from stint_test import BIN, StintTest

JOB = "[job j]\nhandler = builtin noop\n"


class Screen(StintTest):
    def setUp(self):
        super().setUp()
        self.config(JOB)
        self.stint("add", "j", "k")

    def on_terminal(self, *args, **env):
        """What a command writes to a terminal that is its standard output and error."""
        clean = {**self.environment(), "TERM": "xterm", "NO_COLOR": "", **env}
        ours, theirs = pty.openpty()
        done = subprocess.run([f"{BIN}/stint", *args], cwd=self.dir, env=clean, stdout=theirs,
                              stderr=theirs, stdin=subprocess.DEVNULL, timeout=60, check=False)
        os.close(theirs)
        text = b""
        try:
            while chunk := os.read(ours, 65536):
                text += chunk
        except OSError:  # the other side is closed
            pass
        os.close(ours)
        self.assertEqual(done.returncode, 0, text)
        return text.decode()

    def test_output_that_cannot_be_written_says_why_and_what_was_done(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([f"{BIN}/stint", "cancel", "-y", "key:k"], cwd=self.dir,
                                  env=self.environment(), stdin=subprocess.DEVNULL, stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left on device; what the command did is done", done.stderr)
        self.assertEqual(self.run_of("k")["status"], "cancelled")
        self.assertIn("; 1 run cancelled", self.stint("status").out)

    def test_closed_descriptors_are_errors(self):
        for command, said in (("add j --from - <&-", "standard input"),
                              ("ls >&-", "cannot write to standard output: Bad file descriptor")):
            done = subprocess.run(["/bin/sh", "-c", f"exec '{BIN}/stint' {command}"], cwd=self.dir,
                                  env=self.environment(), capture_output=True, text=True,
                                  timeout=60, check=False)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn(said, done.stderr)

    def test_colour_only_where_it_is_seen_and_wanted(self):
        for has, text in (
                (True, self.on_terminal("status")),
                (False, self.on_terminal("status", NO_COLOR="1")),
                (False, self.on_terminal("status", TERM="dumb")),
                (False, self.on_terminal("status", "--color=never")),
                (True, self.on_terminal("status", "--color=always", NO_COLOR="1")),
                (False, self.on_terminal("status", "--json")),
                (False, self.stint("status").out),
                (True, self.stint("status", "--color", "always").out)):
            self.assertEqual("\x1b[" in text, has, text)
            self.assertIn("no pool is running" if "JOB" in text else "stint.status", text)

    def test_a_terminal_gets_no_control_characters_a_file_every_byte(self):
        raw = "\x07\x1b[31m\x7f\x9b\u202e\u2028\ufeff\n"
        key = "k\u202e\u2066z"
        self.write("out", json.dumps(raw, ensure_ascii=False).replace("\u007f", "\x7f"))
        self.config("[job j]\nhandler = exec cat out\n")
        self.stint("add", "j", key)
        self.stint("run", "--drain")
        found = self.stint("results", "j", "--json").rows
        self.assertEqual([r["result"] for r in found if r["key"] == key], [raw])
        for args, is_json in ((["results", "j", "--format", "csv"], False),
                              (["results", "j", "--json"], True), (["ls", "--json"], True),
                              (["show", "j", key, "--json"], True), (["results", "j"], False),
                              (["ls"], False), (["show", "j", key], False), (["events"], False)):
            file, shown = self.stint(*args), self.on_terminal(*args, NO_COLOR="1")
            for c in "\x07\x1b\x7f\x9b\u202e\u2028\u2066\ufeff":
                self.assertNotIn(c, shown, args)
            if is_json:
                self.assertIn(key, file.out)
                self.assertEqual([json.loads(line) for line in shown.replace("\r\n", "\n").split("\n") if line], file.rows)
            elif "csv" not in args:
                self.assertNotIn("\u202e", file.out)
        out = subprocess.run([f"{BIN}/stint", "results", "j", "--format", "csv"], cwd=self.dir,
                             env=self.environment(), stdout=subprocess.PIPE, check=True).stdout
        self.assertIn(f'{key},j,done,"{raw}",'.encode(), out)

    def test_quiet_says_nothing_but_data_and_errors(self):
        self.assertNotEqual(self.stint("status").err, "")
        said = self.stint("-q", "status")
        self.assertIn("JOB", said.out)
        self.assertEqual(said.err, "")
        for words in (["pause", "j"], ["resume", "j"], ["add", "j", "l"], ["db", "backup", "b.db"]):
            said = self.stint(*words, "-q")
            self.assertEqual((said.out, said.err), ("", ""), words)
        self.assertIn("no job", self.stint("-q", "pause", "k", code=2).err)

    def follow(self, *args):
        return subprocess.Popen([f"{BIN}/stint", "events", "-f", *args], cwd=self.dir, text=True,
                                env=self.environment(), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def test_events_are_followed_until_nobody_reads(self):
        with self.follow("--json", "--event", "job.paused") as following:
            self.stint("pause", "j")
            self.assertIn('"event":"job.paused"', following.stdout.readline())
            self.stint("resume", "j")
            self.stint("pause", "j", "--reason", "again")
            self.assertIn("again", following.stdout.readline())
            following.stdout.close()
            self.assertEqual(following.stderr.read(), "")
            self.assertIn(following.wait(60), (0, -13))

    def test_events_end_when_the_reader_leaves_before_any(self):
        with self.follow("--event", "job.paused") as following:
            following.stdout.close()
            self.assertEqual(following.stderr.read(), "")
            self.assertEqual(following.wait(60), 0)


if __name__ == "__main__":
    unittest.main()
