"""Adding very many items: killed and repeated, interrupted, streamed, beside a pool, in constant
memory. Small numbers of the same thing."""
import os
import pty
import signal
import sqlite3
import subprocess
import threading
import unittest

import path  # noqa: F401
import procs
from stint_test import BIN, StintTest
from waiting import wait_until

ITEMS = 20_000
JOB = "[job j]\nhandler = builtin noop\n"
THREE = "[job j]\nstages = a b c\n" + "".join(
    f"[stage j.{s}]\nhandler = builtin noop\n" for s in "abc")


def line(n, data="{}"):
    return f'{{"key": "k{n}", "data": {data}}}\n'


class Bulk(StintTest):
    def setUp(self):
        super().setUp()
        self.config(JOB)

    def items(self, count, data="{}", name="items.jsonl"):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.writelines(line(n, data) for n in range(count))
        return name

    def begin(self, *args, **streams):
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, **streams}
        adding = subprocess.Popen([f"{BIN}/stint", *args], cwd=self.dir, text=True,
                                  env=self.environment(), **streams)
        self.addCleanup(self.reap, adding)
        return adding

    def reap(self, adding):
        if adding.poll() is None:
            adding.kill()
        for stream in (adding.stdin, adding.stdout, adding.stderr):
            if stream and not stream.closed:
                stream.close()
        adding.wait()

    def end(self, adding):
        """(exit status, out, err); its sanitizer reports are looked at with everybody's."""
        out, err = adding.communicate()
        self.logs.append(("stint add", err or ""))
        return adding.returncode, out, err

    def count(self):
        try:
            return self.value("SELECT COUNT(*) FROM work_items") or 0
        except sqlite3.OperationalError:
            return 0  # there is no database yet, or it has no tables

    def assert_whole(self, count, stages=1):
        self.assertEqual(self.count(), count)
        self.assertEqual(self.value("SELECT COUNT(DISTINCT item_key) FROM work_items"), count)
        self.assertEqual(self.value("SELECT COUNT(*) FROM item_stages"), count * stages)
        self.assert_counts_exact()

    def test_killed_again_and_again(self):
        self.config(THREE)
        name, kills = self.items(ITEMS), 0
        self.stint("add", "j", "k0")
        while kills < 6:
            before = self.count()
            adding = self.begin("add", "j", "--from", name)
            wait_until(lambda: adding.poll() is not None or self.count() > before,
                       "some more are there")
            adding.kill()
            status, _, _ = self.end(adding)
            kills += 1
            self.assert_counts_exact()
            if status == 0:
                break
            self.assertEqual(status, -signal.SIGKILL)
        there = self.count()
        told = self.stint("--json", "add", "j", "--from", name).json
        self.assertEqual((told["items"], told["new"], told["unchanged"], told["merged"]),
                         (ITEMS, ITEMS - there, there, 0))
        self.assert_whole(ITEMS, 3)
        self.assertEqual(self.value("SELECT COUNT(*) FROM item_stages WHERE status = 'pending'"),
                         ITEMS)

    def test_killed_in_the_middle_of_a_stream(self):
        """The stream is held open, so that the kill always comes in the middle."""
        adding = self.begin("add", "j", "--from", "-", stdin=subprocess.PIPE)
        adding.stdin.writelines(line(n) for n in range(ITEMS // 2))
        adding.stdin.flush()
        wait_until(lambda: self.count() == ITEMS // 2, "the first half is there")
        adding.kill()
        self.assertEqual(self.end(adding)[0], -signal.SIGKILL)
        told = self.stint("add", "j", "--from", self.items(ITEMS))
        self.assertIn("20,000 items: 10,000 new, 10,000 unchanged", told.out)
        self.assert_whole(ITEMS)

    def test_what_was_read_is_added_while_the_stream_pauses(self):
        adding = self.begin("add", "j", "--from", "-", stdin=subprocess.PIPE)
        for n in range(3):
            adding.stdin.write(line(n))
            adding.stdin.flush()
            wait_until(lambda: self.count() == n + 1, "the line is an item")
        adding.stdin.write('{"key": "last, without a newline"}')
        status, out, _ = self.end(adding)
        self.assertEqual((status, out), (0, "added to j: 4 items: 4 new\n"))

    def test_ctrl_c_says_how_far_it_came(self):
        adding = self.begin("add", "j", "--from", "-", stdin=subprocess.PIPE)
        adding.stdin.writelines(line(n) for n in range(5000))
        adding.stdin.flush()
        wait_until(lambda: self.count() == 5000, "all that was written is there")
        adding.send_signal(signal.SIGINT)
        status, out, err = self.end(adding)
        self.assertEqual((status, out), (-signal.SIGINT, ""))
        self.assertIn("stopped: 5,000 items, up to standard input:5000, were added", err)
        self.assertIn("run the same command again", err)
        self.assert_whole(5000)

    def test_ctrl_c_while_somebody_holds_the_database(self):
        self.stint("add", "j", "first")
        db = sqlite3.connect(self.database, isolation_level=None)
        self.addCleanup(db.close)
        db.execute("BEGIN IMMEDIATE")
        adding = self.begin("add", "j", "--from", self.items(10))
        wait_until(lambda: procs.blocks(adding.pid, signal.SIGINT), "it has begun")
        adding.send_signal(signal.SIGINT)
        status, _, err = self.end(adding)
        self.assertEqual(status, -signal.SIGINT, err)
        self.assertIn("stopped: 0 items", err)
        db.execute("ROLLBACK")
        self.assertEqual(self.count(), 1)

    def test_ctrl_c_between_the_keys_of_a_command_line(self):
        keys = [f"k{n}" for n in range(20000)]
        for signum in (signal.SIGINT, signal.SIGTERM):
            before = self.count() if os.path.exists(self.database) else 0
            adding = self.begin("add", "j", *keys)
            wait_until(lambda: os.path.exists(self.database) and self.count() > before,
                       "it has begun")
            adding.send_signal(signum)
            status, out, err = self.end(adding)
            self.assertEqual((status, out), (-signum, ""), err)
            self.assertRegex(err, r"^stopped: [\d,]+ items were added. To go on, run the same")
        kept = self.count()
        self.assertLess(kept, 20000)
        told = self.stint("add", "j", *keys).out
        self.assertIn(f"{20000 - kept:,} new, {kept:,} unchanged", told)

    def test_a_bad_line_keeps_what_was_before_its_bite(self):
        name = self.items(ITEMS)
        with open(self.path(name), "a", encoding="utf-8") as f:
            f.write("{nope\n")
        done = self.stint("add", "j", "--from", name, code=1)
        self.assertIn(f"{name}:{ITEMS + 1}: not valid JSON", done.err)
        kept = self.count()
        self.assertGreater(kept, 0)
        self.assertIn(f"{kept:,} items before it were added", done.err)
        self.assert_whole(kept)

    def test_beside_a_pool(self):
        self.pool()
        told = self.stint("--json", "add", "j", "--from", self.items(5000)).json
        self.assertEqual(told["new"], 5000)
        self.stint("wait", "j")
        self.assert_whole(5000)
        self.assertEqual(self.value("SELECT done FROM stage_counts WHERE done > 0"), 5000)

    def peak_kib(self, count):
        name = self.items(count, '{"text": "' + "x" * 1000 + '"}', f"big{count}.jsonl")
        env = self.environment({"ASAN_OPTIONS": "quarantine_size_mb=0:" +
                                os.environ.get("ASAN_OPTIONS", "")})
        adding = subprocess.Popen([f"{BIN}/stint", "add", "j", "--from", name], cwd=self.dir,
                                  env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(adding.pid, 0)
        adding.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(adding.returncode, 0)
        return usage.ru_maxrss

    def test_memory_and_log_are_bounded(self):
        peaks = [self.peak_kib(count) for count in (40_000, 120_000)]
        with open(f"{BIN}/stint", "rb") as f:
            is_sanitized = b"__asan_init" in f.read()
        self.assertLess(peaks[1] - peaks[0], 8 * 1024, peaks)
        if not is_sanitized:
            self.assertLess(peaks[1], 64 * 1024)
        self.assertLess(os.stat(self.database + "-wal").st_size, 40 << 20)
        self.assertGreater(os.stat(self.database).st_size, 100 << 20)

    def on_terminal(self, *args):
        """What `stint add` writes to a terminal that is its standard error."""
        ours, theirs = pty.openpty()
        adding = self.begin(*args, stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        seen = []

        def read():
            try:
                while piece := os.read(ours, 65536):
                    seen.append(piece)
            except OSError:
                pass  # the other side is closed
        reader = threading.Thread(target=read)
        reader.start()
        adding.wait()
        reader.join()
        os.close(ours)
        self.assertEqual(adding.returncode, 0)
        return b"".join(seen).decode()

    def test_the_bar(self):
        name = self.items(ITEMS)
        text = self.on_terminal("add", "j", "--from", name)
        self.assertRegex(text, r"\rj \[=* *>? *\] \d+% · 1,000 items")
        self.assertRegex(text, r"\r\x1b\[K(no pool|$)")  # the last thing is to take it away
        self.assertNotIn("items", self.on_terminal("add", "j", "--from", name, "-q"))
        piped = self.stint("add", "j", "--from", name)
        self.assertNotIn("%", piped.err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
