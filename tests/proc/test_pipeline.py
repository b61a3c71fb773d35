"""What a pipeline does with its items: inputs, exit statuses, retries, results, derived status."""
import json
import unittest

import path  # noqa: F401
from stint_test import StintTest, mismatched_counts
from waiting import wait_until


class Pipeline(StintTest):
    def three_stages(self, **pool):
        self.script("upper", 'cat >"$STINT_ITEM.$STINT_STAGE.in"; echo "{\\"n\\": 7}"')
        self.script("plain", 'cat >"$STINT_ITEM.$STINT_STAGE.in"; echo "just text"')
        self.script("last", 'cat >"$STINT_ITEM.$STINT_STAGE.in"; echo "[1, 2]"')
        self.config("[job j]\nstages = one two three\n[stage j.one]\nhandler = exec ./upper\n"
                    "version = v9\n[stage j.two]\nhandler = exec ./plain\n"
                    "[stage j.three]\nhandler = exec ./last\n", **pool)

    def request(self, key, stage):
        with open(self.path(f"{key}.{stage}.in"), encoding="utf-8") as f:
            return json.load(f)

    def test_results_pass_through_inputs(self):
        self.three_stages()
        self.stint("add", "j", "k1", "--data", '{"colour": "röd"}')
        self.stint("run", "--drain")
        self.assertEqual(self.statuses("k1"), dict.fromkeys(("one", "two", "three"), "done"))
        self.assertEqual(self.result_of("k1", "one"), {"n": 7})
        self.assertEqual(self.result_of("k1", "two").strip(), "just text")
        self.assertEqual(self.result_of("k1", "three"), [1, 2])
        first, last = self.request("k1", "one"), self.request("k1", "three")
        self.assertEqual(first["data"], {"colour": "röd"})
        self.assertEqual([first[k] for k in ("type", "job", "stage", "key", "attempt")],
                         ["run", "j", "one", "k1", 1])
        self.assertEqual(first["max_attempts"], 5)
        self.assertEqual(first["inputs"], {})
        self.assertEqual(first["version"], "v9")
        self.assertRegex(first["claim"], r"^\d+-\d+$")
        self.assertEqual(last["inputs"]["one"], {"n": 7})
        self.assertEqual(last["inputs"]["two"].strip(), "just text")
        self.assertEqual(self.value("SELECT r.handler_version FROM results r JOIN stages s ON"
                                    " s.id = r.stage_id WHERE s.name = 'one'"), "v9")

    def test_a_job_without_stages_has_one_of_its_name(self):
        self.config("[job solo]\nhandler = builtin noop\n")
        self.stint("add", "solo", "a", "b")
        self.stint("run", "--drain")
        self.assertEqual([(r["stage"], r["status"]) for r in self.runs()],
                         [("solo", "done")] * 2)

    def test_environment_of_a_handler(self):
        self.script("env", 'env | grep "^STINT_" | grep -v STINT_TEST | sort >env.out; '
                           'ls /proc/self/fd >fds.out; pwd >pwd.out')
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./env\n")
        self.stint("add", "j", "the key")
        self.stint("run", "--drain", env={"STINT_POOL_WORKERS": "1", "NOTIFY_SOCKET": "/x"})
        with open(self.path("env.out"), encoding="utf-8") as f:
            env = dict(line.rstrip("\n").split("=", 1) for line in f)
        self.assertEqual({k: env.get(k) for k in ("STINT_JOB", "STINT_ITEM", "STINT_STAGE",
                                                  "STINT_ATTEMPT")},
                         {"STINT_JOB": "j", "STINT_ITEM": "the key", "STINT_STAGE": "s",
                          "STINT_ATTEMPT": "1"})
        self.assertRegex(env["STINT_CLAIM"], r"^\d+-\d+$")
        self.assertTrue(env["STINT_POOL_ID"])
        self.assertNotIn("STINT_POOL_WORKERS", env)
        with open(self.path("pwd.out"), encoding="utf-8") as f:
            self.assertEqual(f.read().strip(), self.dir)
        self.assertEqual(env["STINT_CONTROL_FD"], "3")
        # 0, 1, 2, 3 for messages, and what ls itself opens; nothing of the worker's leaks.
        with open(self.path("fds.out"), encoding="utf-8") as f:
            self.assertEqual(f.read().split(), ["0", "1", "2", "3", "4"])

    def test_exit_status_table(self):
        fails = (64, 65, 66, 67, 68, 70, 100)
        pauses = (77, 78, 126, 127)
        retries = (75, 1, 2, 69, 71, 128, 255)
        codes = (0, 99) + fails + retries
        jobs = "".join(f"[job e{n}]\nstages = s\nmax_attempts = 2\nbackoff = 1ms\n"
                       f"[stage e{n}.s]\nhandler = shell exit {n}\n"
                       for n in codes + pauses)
        self.config(jobs, workers=4)
        for n in codes + pauses:
            self.stint("add", f"e{n}", "k")
        self.stint("run", "--drain", code=1)
        by_job = {r["job"]: r for r in self.runs()}
        self.assertEqual(by_job["e0"]["status"], "done")
        self.assertEqual(by_job["e99"]["status"], "skipped")
        for n in fails:
            self.assertEqual((by_job[f"e{n}"]["status"], by_job[f"e{n}"]["attempts"]),
                             ("failed", 1), n)
        for n in retries:
            self.assertEqual((by_job[f"e{n}"]["status"], by_job[f"e{n}"]["attempts"]),
                             ("exhausted", 2), n)
        for n in pauses:
            row = by_job[f"e{n}"]
            self.assertEqual((row["status"], row["attempts"]), ("retry_later", 0), n)
        paused = self.query("SELECT * FROM pauses WHERE kind = 'stage'")
        self.assertEqual(len(paused), len(pauses), paused)
        self.assertEqual(len(self.events("stage.paused")), len(pauses))

    def test_signal_is_a_retry_until_exhausted(self):
        self.script("die", 'echo "going down" >&2; kill -9 $$')
        self.config("[job j]\nstages = s after\n[stage j.s]\nhandler = exec ./die\n"
                    "max_attempts = 3\nbackoff = 1ms\n[stage j.after]\nhandler = builtin noop\n")
        self.stint("add", "j", "k")
        self.stint("run", "--drain", code=1)
        row = self.run_of("k", "s")
        self.assertEqual((row["status"], row["attempts"], row["interruptions"]),
                         ("exhausted", 3, 0))
        failed = self.events("attempt.failed", "k")
        self.assertEqual([e["data"]["attempt"] for e in failed], [1, 2, 3])
        self.assertEqual(len({e["data"]["claim"] for e in failed}), 3)
        self.assertIn("going down", failed[0]["data"]["stderr"])
        self.assertIn("9", failed[0]["data"]["how"])
        self.assertEqual(len(self.events("item.exhausted", "k")), 1)
        self.assertEqual(self.statuses("k")["after"], "blocked")

    def test_stderr_tail_keeps_the_end(self):
        self.script("loud", 'i=0; while [ $i -lt 3000 ]; do echo "line $i of noise" >&2; '
                            'i=$((i+1)); done; exit 65')
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./loud\n")
        self.stint("add", "j", "k")
        self.stint("run", "--drain", code=1)
        tail = self.events("attempt.failed", "k")[0]["data"]["stderr"]
        self.assertIn("line 2999 of noise", tail)
        self.assertNotIn("line 0 of noise", tail)
        self.assertLessEqual(len(tail.encode()), 4096)

    def test_unstartable_handler_pauses_its_stage_only(self):
        self.config("[job bad]\nstages = s\n[stage bad.s]\nhandler = exec ./not-there\n"
                    "[job good]\nstages = s\n[stage good.s]\nhandler = builtin noop\n")
        self.stint("add", "bad", "k", code=None)
        self.stint("add", "good", "k2")
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.run_of("k2")["status"], "done")
        self.assertEqual(self.run_of("k")["status"], "retry_later")
        self.assertEqual(self.run_of("k")["attempts"], 0)
        self.assertEqual(self.value("SELECT COUNT(*) FROM pauses"), 1)

    def test_retry_waits_for_its_backoff(self):
        self.script("once", 'echo $(date +%s%N) >>times; [ $(wc -l <times) -gt 1 ]')
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./once\n"
                    "backoff = 400ms\njitter = 0%\n")
        self.stint("add", "j", "k")
        self.stint("run", "--drain")
        with open(self.path("times"), encoding="utf-8") as f:
            first, second = [int(x) for x in f.read().split()]
        self.assertGreaterEqual((second - first) / 1e6, 400)
        self.assertEqual(self.run_of("k")["attempts"], 2)
        delay = self.events("attempt.failed", "k")[0]["data"]
        self.assertIn("next", delay)

    def test_result_must_be_within_output_size(self):
        self.script("big", 'head -c 5000 /dev/zero | tr "\\0" x')
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./big\noutput_size = 4K\n"
                    "max_attempts = 1\n"
                    "[job ok]\nstages = s\n[stage ok.s]\nhandler = exec ./big\n")
        self.stint("add", "j", "big")
        self.stint("add", "ok", "fits")
        self.stint("run", "--drain", code=1)
        self.assertIn(self.run_of("big")["status"], ("failed", "exhausted"))
        self.assertIsNone(self.result_of("big", "s"))
        self.assertEqual(self.result_of("fits", "s"), "x" * 5000)

    def test_derived_status(self):
        handler = self.script("by-key", 'case $STINT_ITEM in f*) exit 65;; e*) exit 1;; '
                                        's*) exit 99;; esac')
        self.config(f"[job j]\nstages = a b\nmax_attempts = 1\n[stage j.a]\nhandler = exec "
                    f"{handler}\n[stage j.b]\nhandler = builtin noop\n")
        self.stint("add", "j", "fail", "exhaust", "skip", "good")
        self.assertEqual(self.derived(), dict.fromkeys(("fail", "exhaust", "skip", "good"),
                                                       "pending"))
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.derived(), {"fail": "failed", "exhaust": "failed", "skip": "done",
                                          "good": "done"})
        self.assertEqual(self.statuses("skip"), {"a": "skipped", "b": "done"})
        self.assertEqual(self.statuses("fail"), {"a": "failed", "b": "blocked"})

    def derived(self):
        rows = self.query("SELECT i.item_key AS key, d.derived_status AS status FROM"
                          " item_derived_status d JOIN work_items i ON i.id = d.item_id JOIN"
                          " jobs j ON j.id = d.job_id WHERE j.name = 'j'")
        return {r["key"]: r["status"] for r in rows}

    def test_counts_are_exact_at_every_moment(self):
        self.config("[job j]\nstages = a b c\n" + "".join(
            f"[stage j.{s}]\nhandler = builtin noop\n" for s in "abc"), workers=4)
        self.stint("add", "j", *[f"k{n}" for n in range(300)])
        pool = self.pool("--drain", is_ready=False)
        looks = 0
        while pool.process.poll() is None:
            self.assertEqual(mismatched_counts(self.database), [])
            looks += 1
        self.assertEqual(pool.wait(), 0, pool.log())
        self.assertGreater(looks, 3)
        self.assert_counts_exact()
        self.assertEqual(self.value("SELECT COUNT(*) FROM item_stages WHERE status = 'done'"
                                    " AND stage_id IN (SELECT id FROM stages WHERE name IN"
                                    " ('a', 'b', 'c'))"), 900)

    def test_priority_is_served_first(self):
        self.ledger_script("note", ":")
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./note\n", workers=1)
        self.stint("add", "j", "low")
        self.stint("add", "j", "high", "--priority", "50")
        self.stint("run", "--drain")
        self.assertEqual([x.item for x in self.begun()], ["high", "low"])

    def test_drain_finishes_work_that_arrives_meanwhile(self):
        self.script("hold", self.gate())
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./hold\n"
                    "[job k]\nstages = s\n[stage k.s]\nhandler = builtin noop\n")
        self.stint("add", "j", "first")
        pool = self.pool("--drain")
        wait_until(lambda: self.run_of("first")["status"] == "in_progress", "first runs")
        self.stint("add", "k", "second")
        self.wait_status("second", "s", "done")
        self.open_gate()
        self.assertEqual(pool.wait(), 0, pool.log())
        self.assertEqual({r["key"]: r["status"] for r in self.runs()},
                         {"first": "done", "second": "done"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
