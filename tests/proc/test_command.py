"""The operator's command: init, check, help, looks, exit codes."""
import json
import os
import re
import signal
import unittest

import path  # noqa: F401
from stint_test import StintTest
from waiting import wait_until

NOOP = "[job j]\nstages = a b\n[stage j.a]\nhandler = shell echo '{\"n\": 1}'\n" \
       "[stage j.b]\nhandler = builtin noop\n"


class Init(StintTest):
    def test_init_makes_a_pipeline_that_runs(self):
        self.stint("init", "demo")
        self.stint("check", cwd=self.path("demo"))
        # Some items fail by design, for the operator to learn from.
        self.assertIn(self.stint("run", "--drain", code=None, cwd=self.path("demo")).code, (0, 1))
        rows = self.stint("--json", "results", "demo", cwd=self.path("demo")).rows
        self.assertGreater(len(rows), 5)
        status = self.stint("--json", "status", cwd=self.path("demo")).json
        self.assertIn("demo", [j["name"] for j in status["jobs"]])

    def test_init_overwrites_nothing(self):
        self.stint("init", "demo")
        self.write("demo/stint.conf", "mine")
        done = self.stint("init", "demo", code=None)
        self.assertNotEqual(done.code, 0)
        with open(self.path("demo", "stint.conf"), encoding="utf-8") as f:
            self.assertEqual(f.read(), "mine")


class Check(StintTest):
    def test_all_problems_at_once_with_place_and_nearest_word(self):
        self.write("stint.conf", "[pool]\nworkers = many\nheartbeet_interval = 1s\n\n"
                                 "[job j]\nstages = a\nmax_attempts = 3\nmax_attempts = 4\n\n"
                                 "[stage j.a]\nhandler = builtin noop\ntimeout = 30\n"
                                 "[stage j.zz]\nhandler = builtin noop\n")
        done = self.stint("check", code=78)
        text = done.out + done.err
        for place in ("stint.conf:2", "stint.conf:3", "stint.conf:8", "stint.conf:12"):
            self.assertIn(place, text)
        self.assertIn("heartbeat_interval", text)
        self.assertIn("zz", text)
        self.stint("run", "--drain", code=78)
        self.stint("add", "j", "k", code=78)
        self.assertFalse(os.path.exists(self.database))

    def test_jobs_d_is_read_in_name_order_and_named_in_errors(self):
        self.config("")
        self.write("jobs.d/10-a.conf", "[job a]\nhandler = builtin noop\n")
        self.write("jobs.d/20-b.conf", "[job b]\nhandler = builtin noop\nstges = x\n")
        done = self.stint("check", code=78)
        self.assertIn("jobs.d/20-b.conf:3", done.out + done.err)
        self.assertIn("stages", done.out + done.err)
        self.write("jobs.d/20-b.conf", "[job b]\nhandler = builtin noop\n")
        self.stint("check")
        self.stint("add", "b", "k")

    def test_values_keep_semicolons_and_length(self):
        text = "x" * 400
        self.config(f"[job j]\nhandler = shell echo 'a ; b {text}'\n")
        self.stint("add", "j", "k")
        self.stint("run", "--drain")
        self.assertEqual(self.result_of("k", "j").strip(), f"a ; b {text}")

    def test_missing_file_and_writable_by_others(self):
        self.stint("check", code=78)
        self.config(NOOP)
        os.chmod(self.path("stint.conf"), 0o666)
        done = self.stint("check", code=78)
        self.assertIn("stint.conf", done.err + done.out)

    def test_programs_and_files_that_are_not_there(self):
        self.script("lister", "true")
        os.chmod(self.path("lister"), 0o600)
        self.config("[job j]\nstages = a\ndiscover = list gone.csv\n[stage j.a]\n"
                    "handler = exec ./gone\n[job e]\nhandler = builtin noop\n"
                    "discover = exec ./lister -v\n")
        with open(self.path("stint.conf"), encoding="utf-8") as f:
            lines = [line.strip() for line in f]
        done = self.stint("check", code=78)
        for line, what in (("discover = list gone.csv", "gone.csv does not exist"),
                           ("handler = exec ./gone", "its handler ./gone does not exist"),
                           ("discover = exec ./lister -v", "lister is not executable")):
            self.assertRegex(done.err, rf"stint\.conf:{lines.index(line) + 1}: .*{what}")
        self.assertNotIn("/./", done.err)
        self.config("[job g]\nhandler = builtin noop\ndiscover = glob in/*.zip\n")
        self.assertRegex(self.stint("check").err, r"stint\.conf:\d+: .*no file matches .*in/\*.zip")
        self.assertEqual(len(self.stint("check", "--json").json["warnings"]), 1)

    def test_scripts_that_no_kernel_runs(self):
        self.config("[job j]\nhandler = exec ./handler\n")
        for text, words in (("#!/bin/sh\r\necho\r\n", r"carriage return.*type: sed -i 's/\\r\$//' "),
                            ("#!/usr/bin/env sh\r\n:\r\n", "carriage return"),
                            ("#!/no/such/sh\n", "its interpreter /no/such/sh does not exist"),
                            ("#!/usr/bin/env no-such-sh -x\n", "no-such-sh is not in PATH"),
                            ("#!\n", "names no interpreter"), ("", "does not begin with a #! line"),
                            ("echo\n", "does not begin with a #! line")):
            self.write("handler", text, 0o755)
            self.assertRegex(self.stint("check", code=78).err, "handler cannot be run: .*" + words)
            if "/env" in text:  # that one is there, and says it itself
                continue
            self.assertRegex(self.stint("try", "j", "k", code=1).out, words)
            self.assertRegex(self.stint("handler-check", "./handler", code=1).out, words)
        for text in ("#!/bin/sh -e\n", "#! /usr/bin/env sh\n", "#!/usr/bin/env -S sh -e\n", "\x7fELF\0"):
            self.write("handler", text, 0o755)
            self.stint("check")

    def test_a_directory_is_no_configuration(self):
        self.config(NOOP)
        done = self.stint("-c", self.dir, "status", code=78)
        self.assertIn(f"stint -c {self.dir}/stint.conf", done.err)
        self.assertTrue(done.err.startswith("stint: "), done.err)

    def test_a_comment_behind_a_value_is_none(self):
        self.config("[job j]\nhandler = builtin noop\ntimeout = 30s # long\n")
        self.assertIn("comments stand on lines of their own", self.stint("check", code=78).err)

    def test_environment_overrides_pool(self):
        self.config(NOOP)
        done = self.stint("check", code=78, env={"STINT_POOL_WORKERS": "lots"})
        self.assertRegex(done.out + done.err, r"STINT_POOL_WORKERS|environment")


class Looks(StintTest):
    def setUp(self):
        super().setUp()
        self.config(NOOP)

    def test_usage_and_help(self):
        self.stint("nonsense", code=2)
        self.stint("status", "--nonsense", code=2)
        done = self.stint("statsu", code=2)
        self.assertIn("status", done.err)
        for args in (["--help"], ["help"], ["add", "--help"], ["help", "add"]):
            done = self.stint(*args)
            self.assertIn("add", done.out)
        self.assertRegex(self.stint("version").out, r"\d+\.\d+\.\d+")

    def test_what_is_missing_is_said(self):
        self.assertIn("JOB is missing; usage: stint results JOB [STAGE]",
                      self.stint("results", code=2).err)
        self.assertIn('did you mean "status"? See', self.stint("help", "statsu", code=2).err)
        self.assertIn("status:      of the stage run", self.stint("help", "filter").out)
        self.assertIn("status:", self.stint("help", "filter", "--json").json["filter"])
        self.stint("add", "j", "k")
        self.stint("run", "--drain")
        self.assertIn('did you mean "run_start"?',
                      self.stint("events", "--event", "run_strat", code=5).err)
        self.assertIn('no event "nope" yet', self.stint("events", "--event", "nope", code=5).err)

    def test_status_tells_of_what_a_dead_pool_left(self):
        self.script("hold", self.gate())
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./hold\n", workers=1)
        self.stint("add", "j", "a", "b")
        done = self.stint("status")
        self.assertIn("waits for a pool", done.out)
        self.assertFalse(self.stint("status", "--json").json["pool"]["answers"])
        pool = self.pool()
        wait_until(lambda: "in_progress" in [r["status"] for r in self.runs("j")], "one runs")
        self.assertTrue(self.stint("status", "--json").json["pool"]["answers"])
        self.assertIn("working", self.stint("status").out)
        self.assertRegex(self.stint("run", code=75).err, "already running.*stint stop")
        pool.kill_all()
        wait_until(lambda: not self.stint("status", "--json").json["pool"]["running"], "it is gone")
        done = self.stint("status")
        self.assertIn("1 in flight; waits for a pool", done.out)
        self.assertIn("1 was in flight when the pool ended; go on with:  stint run", done.err)
        self.open_gate()
        self.stint("run", "--drain")

    def test_a_start_beside_a_pool_that_stops_is_told_so(self):
        self.script("hold", self.gate())
        self.config("[job j]\nhandler = exec ./hold\n", workers=1, shutdown_timeout="10m")
        self.stint("add", "j", "a")
        pool = self.pool()
        self.wait_status("a", "j", "in_progress")
        pool.signal(signal.SIGTERM)
        wait_until(lambda: "is stopping: " in self.stint("run", code=75).err, "it says so")
        self.open_gate()
        pool.wait()

    def test_status_tells_of_pauses_and_failures(self):
        self.config("[job man]\nstages = size\n[stage man.size]\nhandler = shell exit 78\n"
                    "[job bad]\nhandler = builtin fail oh\nmax_attempts = 1\n")
        self.stint("add", "man", "a")
        self.stint("add", "bad", "b")
        told = self.stint("run", "--drain", code=1).err
        self.assertRegex(told, r"bad: 0 done, 1 failed( \(1 exhausted\))?, ")
        paused = r"paused: man\.size until \d\d:\d\d:\d\dZ"
        self.assertRegex(told, paused)
        done = self.stint("status").out
        self.assertRegex(done, r"\.size is paused\n")
        self.assertRegex(done, paused + r" \(in \d+[sm]\): \S")
        self.assertRegex(done, r"1 failed in bad .*see: .*again: stint retry job:bad")

    def test_exit_3_without_a_pool(self):
        self.stint("add", "j", "k")
        for command in (["workers"], ["stop"]):
            done = self.stint(*command, code=3)
            self.assertIn("stint run", done.err)
            self.assertEqual(done.out, "")
        self.stint("status")
        self.stint("--json", "status")

    def test_status_json(self):
        self.stint("add", "j", "k1", "k2")
        found = self.stint("--json", "status").json
        job = next(j for j in found["jobs"] if j["name"] == "j")
        self.assertIn("pool", found)
        text = json.dumps(job)
        self.assertIn('"pending": 2', text)
        self.assertIn('"blocked": 2', text)
        self.assertIn("schema", found)
        self.stint("run", "--drain")
        found = self.stint("status", "--json").json
        self.assertRegex(json.dumps(found["jobs"]), r'"done": (2|4)')

    def test_workers_json(self):
        self.script("hold", self.gate())
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./hold\n", workers=3)
        self.pool()
        self.stint("add", "j", "the-key")
        self.wait_status("the-key", "s", "in_progress")
        rows = self.stint("--json", "workers").rows
        self.assertEqual(len(rows), 3, rows)
        for row in rows:
            self.assertLessEqual({"slot", "pid", "state", "job", "stage", "key", "since"},
                                 set(row))
        busy = wait_until(lambda: [w for w in self.stint("--json", "workers").rows
                                   if w["state"] == "running"], "a running worker is shown")
        self.assertEqual([(w["job"], w["stage"], w["key"]) for w in busy],
                         [("j", "s", "the-key")])
        self.assertRegex(busy[0]["since"], r"^\d{4}-\d\d-\d\dT.*Z$")
        self.assertIn("the-key", self.stint("workers").out)
        self.open_gate()
        self.wait_status("the-key", "s", "done")

    def test_results_formats(self):
        self.stint("add", "j", "k,1", "k2")
        self.stint("run", "--drain")
        rows = self.stint("results", "j", "a", "--format", "ndjson").rows
        self.assertEqual(sorted(r["key"] for r in rows), ["k,1", "k2"])
        self.assertTrue(all({"n": 1} in r.values() for r in rows), rows)
        text = self.stint("results", "j", "a", "--format", "csv").out
        self.assertIn('"k,1"', text)
        self.assertEqual(len(text.strip().splitlines()), 3)
        self.assertIn("k2", self.stint("results", "j").out)
        self.assertEqual(len(self.stint("--json", "results", "j").rows), 4)
        self.stint("results", "nope", code=None)

    def test_results_of_nothing_say_so(self):
        self.stint("add", "j", "k")
        done = self.stint("results", "j", code=None)
        self.assertIn(done.code, (0, 5))
        self.assertTrue(done.out.strip() or done.err.strip())

    def test_events_json(self):
        self.stint("add", "j", "k")
        self.stint("run", "--drain")
        rows = self.stint("--json", "events").rows
        kinds = [r["event"] for r in rows]
        self.assertIn("run_start", kinds)
        self.assertIn("run_end", kinds)
        for row in rows:
            self.assertRegex(str(row["ts"]), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")

    def test_wait(self):
        self.stint("add", "j", "k")
        self.stint("wait", "j", "--timeout", "50ms", code=1)
        self.pool()
        self.stint("wait", "j", "--timeout", "60s")
        self.assertEqual(set(self.statuses("k").values()), {"done"})
        self.stint("wait", "nope", code=None)

    def test_wait_says_its_result_in_json(self):
        self.stint("add", "j", "k")
        found = self.stint("--json", "wait", "j", "--timeout", "50ms", code=1).json
        self.assertEqual(found, {"schema": "stint.wait/1", "job": "j", "outcome": "timeout",
                                 "at_rest": False, "undone": found["undone"]})
        self.assertGreater(found["undone"], 0)
        self.stint("pause", "j")
        self.assertEqual(self.stint("wait", "--json", code=1).json["outcome"], "paused")
        self.stint("resume", "j")
        self.stint("cancel", "-y", "job:j")
        found = self.stint("wait", "--json", code=1).json
        self.assertEqual((found["outcome"], found["at_rest"], found["job"]), ("undone", True, None))
        self.stint("retry", "-y", "job:j")
        self.stint("run", "--drain")
        found = self.stint("wait", "--json").json
        self.assertEqual((found["outcome"], found["undone"]), ("done", 0))

    def test_completion_is_no_json(self):
        said = self.stint("completion", "bash", "--json", code=2)
        self.assertIn("leave --json away", said.err)
        self.assertEqual(said.out, "")

    def test_terminal_text_is_stripped_of_control_characters(self):
        self.config("[job j]\nmax_attempts = 1\n"
                    "handler = shell printf 'x\\033[31mred' >&2; printf 'y\\033[31m'; exit 0\n")
        self.stint("add", "j", "k")
        self.stint("run", "--drain")
        for args in (["results", "j"], ["events"], ["status"]):
            self.assertNotIn("\x1b", self.stint(*args).out)

    def test_a_closed_pipe_is_quiet(self):
        self.stint("add", "j", *[f"k{n}" for n in range(500)])
        self.stint("run", "--drain")
        reader, writer = os.pipe()
        os.close(reader)
        import subprocess
        from stint_test import BIN
        done = subprocess.run([f"{BIN}/stint", "results", "j"], cwd=self.dir, stdout=writer,
                              stderr=subprocess.PIPE, env=self.environment(), timeout=60,
                              check=False)
        os.close(writer)
        self.assertEqual(done.stderr, b"")


class Discover(StintTest):
    def test_glob_list_exec_and_manual(self):
        for n in range(3):
            self.write(f"in/f{n}.txt", "x")
        self.write("list.csv", "key,size\nl1,3\nl2,4\n")
        self.script("lister", "echo '{\"key\": \"e1\", \"data\": {\"q\": 1}}'; "
                              "echo '{\"key\": \"e2\"}'")
        self.config("".join(f"[job {name}]\nhandler = builtin noop\ndiscover = {how}\n"
                            for name, how in (("g", "glob in/*.txt"), ("l", "list list.csv"),
                                              ("e", "exec ./lister"), ("m", "manual"))))
        self.stint("discover", "g", "-n")
        if os.path.exists(self.database):
            self.assertFalse(self.value("SELECT COUNT(*) FROM work_items"))
        self.stint("run", "--drain")
        keys = {}
        for row in self.runs():
            keys.setdefault(row["job"], set()).add(os.path.basename(row["key"]))
            self.assertEqual(row["status"], "done")
        self.assertEqual(keys, {"g": {"f0.txt", "f1.txt", "f2.txt"}, "l": {"l1", "l2"},
                                "e": {"e1", "e2"}})
        self.write("in/f3.txt", "x")
        told = self.stint("discover", "g")
        self.assertTrue(re.search(r"\b1\b", told.out + told.err), str(told))
        self.stint("run", "--drain")
        self.assertEqual(len([r for r in self.runs() if r["job"] == "g"]), 4)

    def test_a_list_without_a_header_loses_nothing(self):
        self.write("list.csv", "https://x/1\nhttps://x/2\n")
        self.config("[job l]\nhandler = builtin noop\ndiscover = list list.csv\n")
        done = self.stint("discover", "l", code=None)
        self.assertNotEqual(done.code, 0)
        self.assertRegex(done.err, r'list.csv:1: no column "key".*discover\.key = COLUMN')
        done = self.stint("add", "l", "--from", "list.csv", code=1)
        self.assertIn('list.csv:1: no column "key"', done.err)
        self.assertIn("nothing of this file was added", done.err)
        self.assertFalse(self.value("SELECT COUNT(*) FROM work_items"))

    def test_failing_discovery_is_a_failure_to_see(self):
        self.script("broken", "echo 'no network today' >&2; exit 65")
        self.config("[job e]\nhandler = builtin noop\ndiscover = exec ./broken\n"
                    "[job m]\nhandler = builtin noop\n")
        pool = self.pool()
        failed = wait_until(lambda: self.events("attempt.failed", "e"), "the failure is told")[0]
        self.assertIn("no network today", json.dumps(failed["data"]))
        self.assertEqual(self.runs("@discover")[0]["key"], "e")
        said = self.stint("status").out
        self.assertRegex(said, r"finding items failed for e: .*: no network today; run it by hand")
        self.assertIn("again: stint discover e\n", said)
        self.assertIn("finding items failed", self.stint("status", "e").out)
        self.assertNotIn("finding items failed", self.stint("status", "m").out)
        self.assertIn("finding items failed for e", self.stint("wait", "e", code=1).err)
        self.stint("wait", "m")
        self.assertEqual(pool.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
