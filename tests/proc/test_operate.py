"""What an operator does to items: ls, show, retry, cancel, by filters."""
import os
import re
import signal
import sqlite3
import subprocess
import unittest

import path  # noqa: F401
import procs
from stint_test import BIN, StintTest
from waiting import wait_until

ONE = "[job j]\nstages = s\n[stage j.s]\nhandler = exec ./h\n"
TWO = "[job j]\nstages = a b\n[stage j.a]\nhandler = exec ./h\n" \
      "[stage j.b]\nhandler = builtin noop\n"


class Operate(StintTest):
    def start(self, *args, **popen):
        """A command that goes on by itself."""
        return subprocess.Popen([f"{BIN}/stint", *args], cwd=self.dir, env=self.environment(),
                                **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                                   "stderr": subprocess.PIPE, "text": True, **popen})

    def fail_items(self, number, status="failed"):
        """So many items of the one-stage job j, failed without a pool."""
        self.stint("add", "j", "--from", "-", "--format", "text",
                   stdin="".join(f"k{i}\n" for i in range(number)))
        self.execute("UPDATE item_stages SET status = 'in_progress', claim = 16777216 + id,"
                     " attempts = 1 WHERE status = 'pending'")
        self.execute(f"UPDATE item_stages SET status = '{status}', error = 'broken'")


class Walk(Operate):
    def test_fail_ls_show_retry_done(self):
        self.script("h", "[ -e ok ] && exec echo '\"fine\"'; echo line one >&2;"
                         "echo HTTP 429 >&2; exit 65")
        self.config(TWO)
        self.stint("add", "j", "k1", "k2")
        pool = self.pool()
        self.wait_status("k1", "a", "failed")
        self.wait_status("k2", "a", "failed")
        table = self.stint("ls", "status:failed").out
        self.assertRegex(table, r"(?m)^j +k1 +a +failed +1 .*HTTP 429$")
        self.assertEqual(len(table.splitlines()), 3)
        row, = self.stint("ls", "--json", "job:j", "k1", "stage:a").rows
        self.assertEqual([row["schema"], row["status"], row["error"], row["attempts"]],
                         ["stint.run/1", "failed", "HTTP 429", 1])
        shown = self.stint("show", "j", "k1").out
        self.assertRegex(shown, r"(?m)^a +failed +1 of 5 ")
        self.assertRegex(shown, r"(?m)^b +blocked .*waits for a$")
        self.assertRegex(shown, r" a +1 +\S+ +w\d/\d+ +exit 65: HTTP 429 → failed")
        self.assertIn("    line one\n    HTTP 429\n", shown)
        self.assertIn("stint retry 'job:j key:k1'", shown)
        self.write("ok", "")
        self.assertIn("would retry 2 stage runs (a). Nothing changed.",
                      self.stint("retry", "-n", "job:j error:429").out)
        self.assertIn("retried 2 stage runs (a)", self.stint("retry", "-y", "job:j error:429").out)
        for key in ("k1", "k2"):
            self.wait_status(key, "b", "done")
        shown = self.stint("show", "j", "k1")
        self.assertIn(f"retried by user {os.getuid()}; it was failed", shown.out)
        self.assertIn('result of a:  "fine"', shown.out)
        item = self.stint("show", "--json", "j", "k1").json
        self.assertEqual(item["status"], "done")
        self.assertEqual([e["event"] for e in item["events"]], ["attempt.failed", "run.retried"])
        self.assertEqual(item["results"][0]["result"], "fine")
        self.assertEqual(item["stages"][0]["attempts"], 1)
        self.assert_counts_exact()
        pool.stop()

    def test_the_death_certificate_of_a_worker(self):
        self.ledger_script("h", self.gate())
        self.config(ONE)
        self.stint("add", "j", "k")
        pool = self.pool()
        wait_until(lambda: self.begun("k"), "runs")
        worker, = [w for w in pool.workers() if w["claim"]]
        self.assertIn(f"w{worker['slot']}/{worker['pid']}", self.stint("show", "j", "k").out)
        procs.kill(worker["pid"])
        wait_until(lambda: len(self.begun("k")) == 2, "runs again")
        text = self.stint("show", "j", "k").out
        self.assertRegex(text, rf"w{worker['slot']}/{worker['pid']} +worker killed by signal 9")
        self.assertIn(f"life {worker['life']}: dead, signal 9 (SIGKILL)", text)
        event, = self.stint("show", "--json", "j", "k").json["events"]
        self.assertEqual(event["death"]["pid"], worker["pid"])
        self.assertEqual(event["death"]["oom"], False)
        self.open_gate()
        self.wait_status("k", "s", "done")
        pool.stop()

    def test_nothing_is_told_apart(self):
        self.config("")
        self.assertIn("no job is configured", self.stint("ls", code=5).err)
        self.config(ONE)
        self.assertIn("nothing found yet", self.stint("ls", code=5).err)
        self.assertIn("nothing found yet", self.stint("retry", "-y", "job:j", code=5).err)
        self.assertFalse(os.path.exists(self.database))
        self.stint("add", "j", "k")
        self.assertIn("no stage run matches: status:done",
                      self.stint("ls", "status:done", code=5).err)
        self.assertIn('did you mean "j"?', self.stint("ls", "job:jj", code=5).err)
        self.assertIn("no stage run matches: j; did you mean job:j?",
                      self.stint("ls", "j", code=5).err)
        self.assertIn("none of what matches is failed",
                      self.stint("retry", "-y", "job:j", code=5).err)
        self.assertIn("has no item", self.stint("show", "j", "nosuch", code=5).err)
        self.stint("show", "nosuch", "k", code=2)

    def test_wrong_filters_have_a_caret(self):
        self.config(ONE)
        for command in (["ls"], ["retry", "-y"], ["cancel", "-n"]):
            done = self.stint(*command, "job:j", "stat:failed", code=2)
            self.assertEqual(done.err, 'stint: filter: unknown field "stat"; did you mean "status"?\n'
                                       "      job:j stat:failed\n"
                                       "            ^^^^\n")
            self.assertEqual(done.out, "")
        wide = self.stint("ls", "key:日本 stat:x", code=2).err.splitlines()
        self.assertEqual(wide[2], " " * (6 + 9) + "^^^^")
        far = self.stint("ls", "key:" + "x" * 400 + " age>1", code=2).err.splitlines()
        self.assertLess(len(far[1]), 160)
        self.assertEqual(far[1][far[2].index("^")], "1")

    def test_a_filter_may_begin_with_a_negation(self):
        self.config(ONE)
        self.stint("add", "j", "--", "a", "-b")
        for words in (["-key:a"], ["job:j", "-key:a"], ["-key:a -changed>1h"],
                      ["-changed>1h", "key:-b"], ["--limit", "5", "-age>1h", "-source:x", "key:-b"],
                      ["--", "-a"]):
            rows = self.stint("ls", "--json", *words).rows
            self.assertEqual([r["key"] for r in rows], ["-b"], words)
        self.assertIn("would cancel 1", self.stint("cancel", "-n", "-key:a").out)
        self.assertIn("none of what matches is failed",
                      self.stint("retry", "-y", "-status:done", code=5).err)
        for words in (["-statsu:done"], ["-a.txt"], ["-nb"], ["job:j", "-https://x"]):
            said = self.stint("cancel", *words, code=2).err
            self.assertIn(f"a word of the filter that begins with - stands behind --, as in: -- "
                          f"'{words[-1]}'", said)
        self.assertIn("stands behind --", self.stint("ls", "-cats", code=78).err)
        self.assertNotIn("behind --", self.stint("status", "-z", code=2).err)

    def test_a_list_that_is_cut_says_of_how_many(self):
        self.config(ONE)
        self.fail_items(120)
        done = self.stint("ls", "job:j")
        self.assertEqual(len(done.out.splitlines()), 51)
        self.assertIn("50 of 120 stage runs", done.err)
        self.assertIn("7 of 120 stage runs", self.stint("ls", "error:broken", "--limit", "7").err)
        self.assertEqual(self.stint("ls", "--limit", "120").err, "")
        self.assertEqual(len(self.stint("ls", "--json").rows), 120)
        self.assertEqual(len(self.stint("ls", "--json", "--limit", "3").rows), 3)

    def test_control_characters_stay_inside(self):
        self.script("h", "printf 'a\\033[31mred\\007\\n' >&2; exit 65")
        self.config(ONE)
        self.stint("add", "j", "k", "--data", '{"x": "\\u001b[2J\\u009b"}')
        self.stint("run", "--drain", code=1)
        for args in (["ls"], ["show", "j", "k"], ["ls", "--json"], ["show", "--json", "j", "k"],
                     ["retry", "-n", "job:j"], ["ls", "error:\x1b[31m"], ["ls", "job:\x1b[31m"],
                     ["cancel", "-y", "key:\x1b[31m"], ["show", "j", "\x1b[31m"]):
            done = self.stint(*args, code=None)
            for raw in "\x1b\x07\x9b":
                self.assertNotIn(raw, done.out + done.err, str(done))
        self.assertIn("\\x1b[31mred\\x07", self.stint("ls").out)


class Cancel(Operate):
    def test_a_running_handler_and_all_it_started(self):
        wait = self.gate()
        self.ledger_script("h", f"(trap '' TERM; {wait}) & echo $! >>pids\n"
                                f"setsid sh -c \"trap '' TERM; {wait}\" & echo $! >>pids\n"
                                f"echo $$ >>pids\n{wait}")
        # No heartbeat comes in this test's time: the worker is told.
        self.config(TWO, heartbeat_interval="5m", heartbeat_timeout="1h")
        self.stint("add", "j", "k")
        pool = self.pool()
        pids = wait_until(lambda: self.pids(3), "all three run")
        self.stint("cancel", "-y", "job:j stage:a")
        self.assertEqual(self.statuses("k"), {"a": "cancelled", "b": "blocked"})
        wait_until(lambda: not any(procs.is_alive(pid) for pid in pids), "the tree is gone")
        wait_until(lambda: self.events("claim.lost"), "its outcome is dropped")
        self.assertEqual(self.query("SELECT * FROM results"), [])
        event, = self.events("run.cancelled")
        self.assertEqual([event["data"]["from"], event["data"]["uid"]],
                         ["in_progress", os.getuid()])
        self.assertEqual(self.stint("ls", "item:cancelled", "--json").rows[0]["stage"], "a")
        self.open_gate()
        self.stint("retry", "job:j key:k")
        self.wait_status("k", "b", "done")
        self.assert_counts_exact()
        pool.stop()

    def pids(self, number):
        try:
            with open(self.path("pids"), encoding="ascii") as f:
                found = [int(line) for line in f.read().split("\n") if line]
        except FileNotFoundError:
            return None
        return found if len(found) == number else None

    def test_cancel_or_completion_exactly_one_wins(self):
        self.ledger_script("h", self.gate())
        self.config(ONE, workers=1)
        pool = self.pool()
        won = {"done": 0, "cancelled": 0}
        for i in range(50):
            won[self.race(f"k{i}", i % 2 == 0)] += 1
        self.assertEqual(sum(won.values()), 50)
        self.assertGreater(won["done"], 0)
        self.assertGreater(won["cancelled"], 0)
        self.assert_counts_exact()
        pool.stop()

    def race(self, key, is_close):
        """Both wait for the write lock when it becomes free; close: cancel is at the database
        before the handler ends."""
        self.stint("add", "j", key)
        wait_until(lambda: self.begun(key), "runs")
        db = sqlite3.connect(self.database, isolation_level=None, timeout=60)
        db.execute("BEGIN IMMEDIATE")
        cancel = self.start("cancel", "-q", f"job:j key:{key}")
        if is_close:
            wait_until(lambda: self.has_database(cancel), "cancel is at the database")
        os.write(self.gates["gate"], b"\n")
        wait_until(lambda: [x for x in self.ledger() if x.what == "end" and x.item == key], "ends")
        db.execute("COMMIT")
        db.close()
        _, err = cancel.communicate(timeout=60)
        status = self.wait_status(key, "s", "done", "cancelled")["status"]
        self.assertEqual(cancel.returncode, {"done": 5, "cancelled": 0}[status], err)
        has_result = self.result_of(key, "s") is not None or bool(self.query(
            "SELECT 1 FROM results r JOIN work_items w ON w.id = r.item_id WHERE w.item_key = ?",
            key))
        self.assertEqual(has_result, status == "done")
        self.assertEqual(len(self.events("run.cancelled", key)), status == "cancelled")
        return status

    @staticmethod
    def has_database(process):
        folder = f"/proc/{process.pid}/fd"
        try:
            return any(os.readlink(f"{folder}/{fd}").endswith("stint.db-wal")
                       for fd in os.listdir(folder))
        except FileNotFoundError: # one of them was closed just now
            return process.poll() is not None

    def test_what_waits_is_cancelled_too(self):
        self.config(TWO)
        self.stint("add", "j", "k", "l")
        self.assertIn("cancelled 4 stage runs (a 2, b 2)", self.stint("cancel", "-y", "job:j").out)
        self.assertEqual(self.statuses("k"), {"a": "cancelled", "b": "cancelled"})
        self.assertIn("none of what matches", self.stint("cancel", "-y", "job:j", code=5).err)
        self.script("h", "echo 1")
        self.stint("retry", "-y", "job:j")
        self.assertEqual(self.statuses("k"), {"a": "pending", "b": "blocked"})
        self.stint("run", "--drain")
        self.assert_counts_exact()


class Bulk(Operate):
    def test_without_a_terminal_yes_is_needed(self):
        self.config(ONE)
        self.fail_items(3)
        for command in ("retry", "cancel"):
            done = self.stint(command, "job:j", code=2)
            self.assertIn(f"this would {command} 3 stage runs (s)", done.err)
            self.assertIn("-y", done.err)
        self.assertEqual(self.stint("retry", "", "-y", code=2).out, "")
        self.assertEqual(self.events("run.retried") + self.events("run.cancelled"), [])
        found = self.stint("retry", "job:j key:k1", "--json").json
        self.assertEqual([found["schema"], found["changed"], found["stages"]],
                         ["stint.act/1", 1, [{"job": "j", "stage": "s", "changed": 1}]])

    def test_a_terminal_is_asked(self):
        self.config(ONE)
        self.fail_items(3)
        code, out, said = self.ask(b"n\n", "retry", "job:j")
        self.assertEqual([code, out], [1, ""])
        self.assertIn("retry 3 stage runs (s)? [y/N]", said)
        self.assertEqual(self.events("run.retried"), [])
        code, out, said = self.ask(b"y\n", "retry", "job:j")
        self.assertEqual([code, out], [0, "retried 3 stage runs (s)\n"])
        self.assertIn("stint cancel", said)

    def test_exhausted_is_not_failed_but_pointed_to(self):
        self.config(ONE)
        self.fail_items(1, "exhausted")
        self.assertIn("status:failed,exhausted", self.stint("ls", "status:failed", code=5).err)
        self.assertNotIn("exhausted", self.stint("ls", "status:done", code=5).err)

    def test_five_thousand_interrupted_and_repeated(self):
        self.config(ONE)
        self.fail_items(5000, "exhausted")
        retry = self.start("retry", "-y", "job:j")
        wait_until(lambda: self.count_retried() > 0 or retry.poll() is not None, "it is on its way")
        retry.send_signal(signal.SIGKILL)
        retry.communicate()
        done = self.count_retried()
        self.assertEqual(done % 1000, 0)
        self.assertEqual(self.value("SELECT pending FROM stage_counts WHERE pending > 0"), done)
        self.assert_counts_exact()
        if done < 5000:
            found = self.stint("retry", "-y", "--json", "job:j").json
            self.assertEqual(found["changed"], 5000 - done)
        self.assertEqual(self.count_retried(), 5000)
        self.assertEqual(self.value("SELECT count(DISTINCT item_id) FROM events"
                                    " WHERE event = 'run.retried'"), 5000)
        self.stint("retry", "-y", "job:j", code=5)
        self.assert_counts_exact()

    def test_ctrl_c_says_what_was_done(self):
        self.config(ONE)
        self.fail_items(10000)
        for signum in (signal.SIGINT, signal.SIGTERM):
            before = self.count_retried()
            retry = self.start("retry", "-y", "job:j")
            wait_until(lambda: self.count_retried() > before, "it is on its way")
            retry.send_signal(signum)
            out, err = retry.communicate()
            done = self.count_retried() - before
            self.assertEqual((retry.returncode, out), (-signum, ""), err)
            self.assertIn(f"stopped: retried {done:,} stage runs (s). To go on, run the same "
                          "command again", err)
        self.assertLess(self.count_retried(), 10000)
        self.stint("retry", "-y", "job:j")
        self.assertEqual(self.count_retried(), 10000)

    def test_ctrl_c_while_somebody_holds_the_database(self):
        self.config(ONE)
        self.fail_items(3)
        db = sqlite3.connect(self.database, isolation_level=None)
        self.addCleanup(db.close)
        db.execute("BEGIN IMMEDIATE")
        cancel = self.start("cancel", "-y", "job:j")
        wait_until(lambda: procs.blocks(cancel.pid, signal.SIGINT), "it has begun")
        cancel.send_signal(signal.SIGINT)
        _, err = cancel.communicate()
        self.assertEqual(cancel.returncode, -signal.SIGINT)
        self.assertIn("stopped: nothing was changed", err)
        db.execute("ROLLBACK")

    def test_the_undo_is_exact_or_there_is_none(self):
        self.config(TWO)
        self.stint("add", "j", "k1", "k2", "k3", "k4")
        self.assertIn("stint retry 'job:j key:k1 status:cancelled'",
                      self.stint("cancel", "-y", "job:j key:k1").err)
        self.assertNotIn("stint retry", (said := self.stint("cancel", "-y", "job:j").err))
        self.assertIn("others were like that before; each one is in: stint events --event "
                      "run.cancelled", said)
        self.stint("retry", "-y", "job:j")
        undo = self.stint("cancel", "-y", "job:j stage:a").err
        self.assertIn("stint retry 'job:j stage:a status:cancelled'", undo)
        # Stage b was open before, and stays so.
        undo = self.stint("retry", "-y", "job:j attempts<1").err
        typed = re.search("stint cancel ('.*')", undo)[1]
        self.assertEqual(typed, "'job:j stage:a status:pending,blocked,retry_later,in_progress'")
        self.assertIn("would cancel 4 stage runs (a)", self.stint("cancel", "-n", typed[1:-1]).out)
        self.stint("cancel", "-y", "job:j stage:a key:k2")
        self.assertIn("no filter means exactly these again", self.stint("retry", "-y", "job:j").err)

    def count_retried(self):
        return self.value("SELECT count(*) FROM events WHERE event = 'run.retried'")

    def test_a_retry_wakes_the_pool(self):
        self.script("h", "[ -e ok ] || exit 65")
        self.config(ONE)
        self.stint("add", "j", *[f"k{i}" for i in range(8)])
        pool = self.pool()
        self.stint("wait", code=1)
        self.write("ok", "")
        self.stint("retry", "-y", "status:failed")
        self.stint("wait")
        self.assertEqual({r["status"] for r in self.runs()}, {"done"})
        pool.stop()

    def test_what_left_the_configuration_is_left_out(self):
        self.config(ONE)
        self.fail_items(2)
        self.config("[job other]\nhandler = builtin noop\n")
        done = self.stint("retry", "-y", "job:j", code=5)
        self.assertIn("2 left as they are: no longer in the configuration", done.err)
        self.assertIn("cancelled 2", self.stint("cancel", "-y", "job:j").out)


if __name__ == "__main__":
    from stint_test import main
    main()
