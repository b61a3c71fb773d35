"""stint try: one item before your eyes, by the worker's own code, of which nothing is recorded but
what it cost."""
import json
import os
import signal
import subprocess

import path  # noqa: F401
import procs
from messages import say
from stint_test import BIN, StintTest, main
from waiting import wait_until

RESIDENT = """#!/usr/bin/env python3
import json, os, sys
def say(**message):
    os.write(1, (json.dumps(message) + "\\n").encode())
def requests():
    for line in sys.stdin:
        r = json.loads(line)
        if r["type"] == "run":
            yield r
"""
HELLO = "say(type='hello', protocol=1)\n"


class Try(StintTest):
    def stage(self, handler, more="", stages="s"):
        self.config(f"[job j]\nstages = {stages}\n[stage j.s]\nhandler = {handler}\n{more}")

    def exec_stage(self, body, more=""):
        self.script("handler", body)
        self.stage("exec ./handler", more)

    def resident_stage(self, body, more=""):
        self.write("handler", RESIDENT + body, 0o755)
        self.stage("resident ./handler", more)

    def trial(self, *args, code=0, key="k", **more):
        """The events of a trial."""
        rows = self.stint("--json", "try", "j", *([key] if key else []), *args, code=code,
                          **more).rows
        self.assertEqual({r["schema"] for r in rows}, {"stint.try/1"})
        return rows

    def of(self, rows, event, stage="s"):
        return [r for r in rows if r["event"] == event and r["stage"] == stage]

    def end(self, *args, code=0, **more):
        (end,) = self.of(self.trial(*args, code=code, **more), "end")
        return end

    def text(self, *args, code=0):
        result = self.stint("try", "j", "k", *args, code=code)
        return result.out + result.err


class Outcomes(Try):
    def test_exec_by_its_output(self):
        self.exec_stage("cat >request; echo oops >&2; echo '{\"n\":1}'")
        rows = self.trial("--data", '{"x":\n 1}')
        request = self.of(rows, "request")[0]["request"]
        with open(self.path("request")) as file:
            self.assertEqual(json.load(file), request)
        self.assertEqual((request["key"], request["data"], request["attempt"]), ("k", {"x": 1}, 1))
        self.assertEqual([(t["from"], t["text"]) for t in self.of(rows, "text")],
                         [("stderr", "oops")])
        end = self.of(rows, "end")[0]
        self.assertEqual((end["outcome"], end["status"], end["result"]), ("done", "done", {"n": 1}))

    def test_messages_as_they_come(self):
        self.exec_stage(say(type="progress", done=3, total=90) + say(type="checkpoint", data=[1])
                        + say(type="cost", usd=0.5, tokens=7, of="m") + say(type="log", text="hi")
                        + say(type="spawn", items=[{"key": "a"}, {"key": "b"}])
                        + say(type="done", result="R") + "echo lost")
        rows = self.trial()
        self.assertEqual([json.loads(m["line"])["type"] for m in self.of(rows, "message")],
                         ["progress", "checkpoint", "cost", "log", "spawn", "done"])
        self.assertEqual(self.of(rows, "end")[0]["spawned"], 2)
        self.assertEqual(self.of(rows, "text")[0]["from"], "stdout")
        shown = self.text()
        for words in ("── s  attempt 1 of 5, timeout 30m", "progress 3 of 90", "checkpoint [1]",
                      "cost 0.5 usd, 7 tokens of m", "log info: hi", "spawn 2 items: a b",
                      "stdout │ lost", "done in ", 'result "R"', "there is no database yet",
                      "stint add j 'k'"):
            self.assertIn(words, shown)
        self.assertFalse(os.path.exists(self.database))

    def test_every_outcome(self):
        for body, code, outcome, status in (
                ("exit 99", 0, "skip", "skipped"),
                ("echo no >&2; exit 1", 1, "retry", "retry_later"),
                ("exit 65", 1, "fail", "failed"),
                ("exit 78", 1, "pause", "retry_later"),
                ("kill -SEGV $$", 1, "retry", "retry_later"),
                (say(type="snooze", why="later", after=60), 1, "snooze", "retry_later"),
                (say(type="fail", why="gone"), 1, "fail", "failed"),
                (say(type="skip", why="old"), 0, "skip", "skipped"),
                (say(type="limit", retry_after=30) + "exit 75", 1, "snooze", "retry_later")):
            with self.subTest(body):
                self.exec_stage(body)
                end = self.end(code=code)
                self.assertEqual((end["outcome"], end["status"]), (outcome, status))

    def test_what_the_pool_would_do(self):
        self.exec_stage("echo bad luck >&2; exit 1", "backoff = 1m\njitter = 0%")
        shown = self.text(code=1)
        self.assertIn("stderr │ bad luck", shown)
        self.assertIn(": bad luck\n   the pool would try it again in 1m: attempt 2 of 5", shown)
        self.assertIn("stint try j 'k' --stage s", shown)
        self.exec_stage("exit 1", "max_attempts = 1")
        self.assertIn("give up: that was attempt 1 of 1", self.text(code=1))
        self.stage("exec ./nothing")
        self.assertIn("pause j.s, and count no attempt", self.text(code=1))

    def test_shell_and_builtin(self):
        self.stage("shell echo $STINT_JOB/$STINT_ITEM/$STINT_STAGE/$STINT_ATTEMPT")
        self.assertEqual(self.end()["result"], "j/k/s/1")
        for handler, code, outcome in (("builtin noop", 0, "done"), ("builtin sleep 1ms", 0, "done"),
                                       ("builtin fail so it is", 1, "fail")):
            self.stage(handler)
            self.assertEqual(self.end(code=code)["outcome"], outcome)

    def test_limits_are_the_pools(self):
        self.exec_stage("exec sleep 600", "timeout = 100ms\ngrace = 1s")
        self.assertEqual(self.end(code=1)["how"], "timeout")
        self.exec_stage("ulimit -n; pwd; umask", "open_files = 33")
        limit, directory, umask = self.end()["result"].split("\n")
        self.assertEqual((limit, directory), ("33", os.path.realpath(self.path())))
        self.exec_stage("head -c 4096 /dev/zero", "output_size = 1K")
        self.assertEqual(self.end(code=1)["how"], "output_size")


class Resident(Try):
    def test_it_answers(self):
        self.resident_stage(HELLO + "for r in requests():\n say(type='progress',id=r['id'],done=1)\n"
                            " say(type='done',id=r['id'],result=r['key'])\n")
        rows = self.trial()
        self.assertEqual([m["fault"] for m in self.of(rows, "message")], [None] * 3)
        self.assertEqual(self.of(rows, "end")[0]["result"], "k")

    def fault(self, body, more=""):
        self.resident_stage(body, more)
        return self.text(code=1)

    def test_no_hello(self):
        shown = self.fault("for r in requests(): pass\n", "start_timeout = 200ms")
        self.assertIn("it said no hello within start_timeout", shown)

    def test_text_on_stdout_has_its_line_and_caret(self):
        shown = self.fault(HELLO + "for r in requests():\n print('fetching', r['key'], flush=True)\n")
        self.assertIn(", on standard output:\n        fetching k\n        ^\n", shown)
        self.assertIn("man 7 stint-handler", shown)

    def test_a_missing_id(self):
        shown = self.fault(HELLO + "for r in requests():\n say(type='done', result=1)\n")
        self.assertIn("! done without \"id\":\n", shown)
        shown = self.fault(HELLO + "for r in requests():\n say(type='progress', done=1)\n"
                           " say(type='fail', id=r['id'], why='x')\n")
        self.assertIn("! progress without \"id\":\n", shown)

    def test_a_crash(self):
        shown = self.fault(HELLO + "for r in requests():\n os._exit(3)\n")
        self.assertIn("the handler ended without an answer: exit 3", shown)


class Mistakes(Try):
    def test_bad_json_has_a_caret(self):
        self.exec_stage("""echo '{"type":"done" "result":1}' >&3""")
        shown = self.text(code=1)
        self.assertIn("fault not valid JSON", shown)
        line, caret = shown[shown.index('        {"type":"done" "'):].split("\n")[:2]
        self.assertEqual((caret.strip(), line[len(caret) - 1]), ("^", '"'))

    def test_control_characters_stay_inside(self):
        self.exec_stage("printf '\\033[31mred\\n' >&2; printf '\\033]0;x\\007' ")
        self.assertNotIn("\x1b", self.text())

    def test_wrong_words(self):
        self.exec_stage("true")
        self.assertIn('no job "jj"; did you mean "j"?', self.stint("try", "jj", "k", code=2).err)
        self.assertIn("it has: s", self.stint("try", "j", "k", "--stage", "t", code=2).err)
        self.assertIn("name one, known or not: stint try j KEY", self.stint("try", "j", code=5).err)
        self.assertIn("line 1, column", self.stint("try", "j", "k", "--data", "{x", code=2).err)
        self.assertIn("needs a key", self.stint("try", "j", "-", code=2, stdin='{"data":1}').err)

    def test_spawning_into_an_unknown_job(self):
        self.exec_stage(say(type="spawn", items=[{"job": "other", "key": "a"}]))
        shown = self.text(code=1)
        self.assertIn("items of job other, which is not configured", shown)
        self.assertIn('failed in', shown)
        self.assertIn('there is no job "other" in the configuration', shown)
        self.assertNotIn("For good", shown)

    def test_spawning_too_deep(self):
        self.exec_stage(say(type="spawn", items=[{"key": "a"}]))
        self.config("[job j]\nstages = s\nmax_depth = 0\n[stage j.s]\nhandler = exec ./handler\n")
        shown = self.text(code=1)
        self.assertIn("spawned items would be at depth 1; max_depth of [job j] is 0", shown)

    def test_what_nothing_comes_of(self):
        self.exec_stage("""echo '{"type":"Done"}' >&3; echo '{"type":"finished"}' >&3"""
                        + "\n" + say(type="done", result=1) + say(type="fail", why="no")
                        + say(type="cost", usd=1))
        rows = self.trial()
        self.assertEqual([m["doubt"] for m in self.of(rows, "message")],
                         ['unknown type; did you mean "done"?: ignored'] * 2
                         + [None, "said after the outcome: dropped", None])
        shown = self.text()
        self.assertIn('   ! unknown type; did you mean "done"?: ignored:\n', shown)
        self.assertIn("   ! said after the outcome: dropped:\n", shown)
        self.assertIn("stint handler-check", shown)

    def test_ids_that_nothing_comes_of(self):
        self.resident_stage(HELLO + "for r in requests():\n"
                            " say(type='done', id=501)\n"
                            " os.write(1, b''.join(json.dumps({'type': t, 'id': r['id']}).encode()"
                            " + b'\\n' for t in ('done', 'fail')))\n")
        rows = self.trial()
        self.assertEqual([m["doubt"] for m in self.of(rows, "message")],
                         [None, "done for id 501, which was not asked: dropped", None,
                          "fail for id 1, which was answered before: dropped"])

    def test_a_wait(self):
        self.exec_stage(say(type="wait", items=[{"key": "a"}]))
        self.assertIn("add those items, and run this again in 30s", self.text(code=1))
        self.exec_stage(say(type="wait", items=[{"key": "k"}]))
        self.assertIn("protocol error: a wait for the item itself, which would never end: k",
                      self.text(code=1))
        self.exec_stage(say(type="wait", items=[]))
        self.assertIn("must name at least one item to wait for", self.text(code=1))


class Items(Try):
    CONFIG = ("[job j]\nstages = a s\n[stage j.a]\nhandler = shell echo 1\n"
              "[stage j.s]\nhandler = exec ./handler\nmax_attempts = 3\nbackoff = 1h\n")

    def test_results_of_the_trial_are_inputs(self):
        self.script("handler", "cat")
        self.config(self.CONFIG)
        self.assertEqual(self.of(self.trial(), "end")[0]["result"]["inputs"], {"a": 1})
        rows = self.trial("--stage", "s")
        self.assertEqual(self.of(rows, "end")[0]["result"]["inputs"], {"a": None})
        self.assertEqual(self.of(rows, "end", "a"), [])

    def test_what_follows_a_failure_is_not_tried(self):
        self.config("[job j]\nstages = s t\n[stage j.s]\nhandler = builtin fail x\n"
                    "[stage j.t]\nhandler = builtin noop\n")
        self.assertIn("What comes after s was not tried.", self.text(code=1))

    def test_a_known_item_has_what_is_stored(self):
        self.script("handler", say(type="checkpoint", data={"at": 7}) + "cat; exit 1")
        self.config(self.CONFIG)
        self.stint("add", "j", "k", "--data", '{"x":5}')
        pool = self.pool()
        self.wait_status("k", "s", "retry_later")
        pool.stop()
        for key in ("k", None):
            rows = self.trial("--stage", "s", code=1, key=key)
            request = self.of(rows, "request")[0]["request"]
            self.assertEqual((request["key"], request["data"], request["attempt"],
                              request["checkpoint"], request["inputs"]),
                             ("k", {"x": 5}, 2, {"at": 7}, {"a": 1}))

    def test_an_item_of_standard_input(self):
        self.exec_stage("cat")
        end = self.end(key="-", stdin='{"key":"from stdin","data":{"y":[1,2]}}')
        self.assertEqual((end["result"]["key"], end["result"]["data"]),
                         ("from stdin", {"y": [1, 2]}))

    def test_nothing_is_recorded_but_cost(self):
        self.exec_stage(say(type="progress", done=1) + say(type="checkpoint", data=1)
                        + say(type="spawn", items=[{"key": "other"}])
                        + say(type="limit", retry_after=60) + say(type="cost", usd=0.25, of="m")
                        + say(type="cost", tokens=9) + say(type="done", result=1))
        self.stint("add", "j", "k")

        def dump():
            rows = {}
            for table in self.query("SELECT name FROM sqlite_schema WHERE type = 'table'"):
                rows[table["name"]] = self.query(f"SELECT * FROM {table['name']}")
            return rows
        before = dump()
        self.assertIn("but its cost (0.25 usd, 9 tokens)", self.text())
        self.trial()
        after = dump()
        costs = [e for e in after["events"] if e not in before["events"]]
        self.assertEqual([json.loads(e["data"]) for e in costs], 2 * [
            {"cost_usd": 0.25, "tokens": 0, "of": "m", "by": "try"},
            {"cost_usd": 0, "tokens": 9, "of": None, "by": "try"}])
        self.assertEqual({(e["event"], e["claim"], e["item_id"]) for e in costs},
                         {("cost", None, after["work_items"][0]["id"])})
        self.assertEqual(self.value("SELECT sum(cost_usd) FROM v_costs"), 0.5)
        for rows in (before, after):
            rows["events"] = [e for e in rows["events"] if e["event"] != "cost"]
            rows.pop("sqlite_sequence", None)
        self.assertEqual(before, after)


class WithPool(Try):
    def test_tokens_are_the_pools(self):
        self.config("[resource r]\nrate = 1/d\nburst = 1\n[resource q]\nrate = 1000/s\n"
                    "[job j]\nstages = s\n[stage j.s]\nhandler = builtin noop\nresource = q r\n")
        pool = self.pool()
        process = subprocess.Popen(
            [os.path.join(BIN, "stint"), "try", "j", "k"], cwd=self.path(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment())
        self.assertIn('no item "k": tried without data', process.stderr.readline())
        self.assertIn("waits for a token of resource r, in ", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.communicate()[0], "")
        self.assertEqual(process.returncode, -signal.SIGINT)
        pool.stop()

    def test_a_token_is_taken_and_nothing_claimed(self):
        self.config("[resource r]\nrate = 20/s\nburst = 1\n[job j]\nstages = s\n[stage j.s]\n"
                    "handler = builtin noop\nresource = r\n[job free]\nstages = s\n"
                    "[stage free.s]\nhandler = builtin noop\n")
        pool = self.pool()
        self.assertEqual(self.end()["outcome"], "done")
        self.assertEqual(self.runs(), [])
        pool.stop()

    def test_it_goes_by_what_the_pool_accepted(self):
        self.stage("shell echo old")
        pool = self.pool()
        self.stage("shell echo new")
        self.assertEqual(self.end()["result"], "old")
        pool.stop()
        self.assertEqual(self.end()["result"], "new")


class Interrupted(Try):
    def interrupt(self, body, signals):
        self.exec_stage("echo $$ >pid; " + body, "grace = 200ms")
        process = subprocess.Popen(
            [os.path.join(BIN, "stint"), "try", "j", "k"], cwd=self.path(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment())
        wait_until(lambda: os.path.exists(self.path("ready")), "the handler")
        for signum in signals:
            process.send_signal(signum)
        out, _ = process.communicate()
        with open(self.path("pid")) as file:
            self.assertFalse(procs.is_alive(int(file.read())))
        return process.returncode, out

    def test_ctrl_c_ends_the_whole_tree(self):
        code, out = self.interrupt(
            "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo > ready; sleep 600' & wait; sleep 600",
            [signal.SIGINT])
        self.assertEqual(code, -signal.SIGINT)
        self.assertIn("stopped in ", out)

    def test_killed_it_leaves_nothing(self):
        code, _ = self.interrupt("echo >ready; exec sleep 600", [signal.SIGTERM])
        self.assertEqual(code, -signal.SIGTERM)


if __name__ == "__main__":
    main()
