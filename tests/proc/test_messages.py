"""What handlers of exec say over descriptor 3, and what becomes of it."""
import json
import os
import signal
import unittest

import path  # noqa: F401
import procs
from stint_test import StintTest
from waiting import wait_until

CONFIG = ("[job j]\nstages = s\nbackoff = 0s\nmax_attempts = 3\n"
          "[stage j.s]\nhandler = exec ./handler\n")
# A counter of attempts, for handlers that act differently each time.
COUNT = ('n=$(($(cat "count.$STINT_ITEM" 2>/dev/null || echo 0) + 1))\n'
         'echo $n > "count.$STINT_ITEM"\n')
SPAWN_2500 = "seq 2500 | sed 's/.*/{\"type\":\"spawn\",\"items\":[{\"key\":\"n&\"}]}/' >&3\n"


def say(**message):
    text = json.dumps(message).replace("'", "'\\''")
    return f"printf '%s\\n' '{text}' >&3\n"


def items(*keys, **more):
    return [{"key": key, **more} for key in keys]


class MessagesTest(StintTest):
    def prepare(self, body, config=CONFIG, **pool):
        self.script("handler", body)
        self.config(config, **pool)
        self.stint("add", "j", "k")

    def drain(self, body, code=0, config=CONFIG):
        """One item through a stage with this handler; returns its row."""
        self.prepare(body, config)
        self.stint("run", "--drain", code=code)
        return self.run_of("k", "s")

    def kill_worker(self, pool, key="k"):
        """SIGKILL of the worker that has this item."""
        def find():
            claim = self.value("SELECT claim FROM v_stages WHERE item_key = ? AND"
                               " status = 'in_progress'", key)
            return [w["pid"] for w in pool.workers() if claim and w.get("claim") == claim]
        procs.kill(wait_until(find, f"the worker of {key}")[0])

    def keys(self, job="j"):
        return sorted(r["key"] for r in self.runs() if r["job"] == job)


class Outcomes(MessagesTest):
    def test_done_beats_stdout_and_exit_status(self):
        row = self.drain("echo text\n" + say(type="done", result={"a": [1]}) + "exit 3")
        self.assertEqual(row["status"], "done")
        self.assertEqual(self.result_of("k", "s"), {"a": [1]})

    def test_done_and_then_a_signal(self):
        self.assertEqual(self.drain(say(type="done") + "kill -9 $$")["status"], "done")
        self.assertIsNone(self.result_of("k", "s"))

    def test_skip_says_why(self):
        row = self.drain(say(type="skip", why="robots.txt says no"))
        self.assertEqual((row["status"], row["error"]), ("skipped", "robots.txt says no"))

    def test_fail_says_why(self):
        row = self.drain(say(type="fail", why="HTTP 404"), code=1)
        self.assertEqual((row["status"], row["error"], row["attempts"]), ("failed", "HTTP 404", 1))
        self.assertEqual(self.events("attempt.failed", "k")[0]["data"]["how"], "fail")

    def test_retry_counts_and_is_exhausted(self):
        row = self.drain(say(type="retry", why="HTTP 503"), code=1)
        self.assertEqual((row["status"], row["error"], row["attempts"]),
                         ("exhausted", "HTTP 503", 3))

    def test_after_is_a_lower_bound(self):
        self.prepare(say(type="retry", why="later", after="1h"))
        pool = self.pool()
        row = self.wait_status("k", "s", "retry_later")
        self.assertGreaterEqual(row["next_attempt_at"] - row["ended_at"], 3600 * 1000)
        pool.stop()

    def test_snooze_counts_no_attempt(self):
        row = self.drain(COUNT + "if [ $n -le 5 ]; then\n" + say(
            type="snooze", why="not yet", after=0) + "else\n" + say(type="done", result=1) + "fi")
        self.assertEqual((row["status"], row["attempts"], row["snoozes"]), ("done", 1, 5))
        self.assertEqual(len(self.events("attempt.given_back", "k")), 5)

    def test_retry_after_its_own_limit_is_a_snooze(self):
        row = self.drain(COUNT + "if [ $n -le 4 ]; then\n" + say(type="limit", retry_after=0.01)
                         + say(type="retry", why="HTTP 429") + "else\n" + say(type="done") + "fi")
        self.assertEqual((row["status"], row["attempts"], row["snoozes"]), ("done", 1, 4))

    def test_exit_75_after_its_own_limit_is_a_snooze(self):
        row = self.drain(COUNT + "if [ $n -le 2 ]; then\n" + say(type="limit", retry_after=0.01)
                         + "exit 75; fi; exit 0")
        self.assertEqual((row["status"], row["attempts"], row["snoozes"]), ("done", 1, 2))

    def test_wait_adds_items_and_looks_again(self):
        self.prepare('if [ "$STINT_ITEM" = other ]; then exit 0; fi\n'
                     + say(type="wait", items=items("other")))
        pool = self.pool()
        row = self.wait_status("k", "s", "retry_later")
        self.assertEqual((row["attempts"], row["snoozes"]), (0, 1))
        self.wait_status("other", "s", "done")
        pool.stop()

    def test_the_first_outcome_counts(self):
        self.prepare(say(type="done", result=1) + say(type="fail", why="x")
                     + say(type="done", result=2))
        pool = self.pool()
        self.wait_status("k", "s", "done")
        pool.stop()
        self.assertEqual(self.result_of("k", "s"), 1)
        self.assertEqual(pool.log().count("handler.late"), 1)

    def test_timeout_beats_an_outcome(self):
        row = self.drain(say(type="done", result=1) + "exec sleep 1000", code=1,
                         config=CONFIG + "timeout = 200ms\ngrace = 50ms\nmax_attempts = 1\n")
        self.assertEqual(row["status"], "exhausted")
        self.assertIn("timeout", row["error"])
        self.assertIsNone(self.result_of("k", "s"))

    def test_a_grandchild_that_holds_the_descriptor_blocks_nothing(self):
        row = self.drain("setsid sleep 1000 &\n" + say(type="done", result=7))
        self.assertEqual(row["status"], "done")
        self.assertEqual(self.result_of("k", "s"), 7)

    def test_closed_early_the_exit_status_decides(self):
        self.assertEqual(self.drain("exec 3>&-; echo 5")["status"], "done")
        self.assertEqual(self.result_of("k", "s"), 5)

    def test_a_result_larger_than_output_size_fails(self):
        row = self.drain('printf \'{"type":"done","result":"%02000d"}\\n\' 0 >&3', code=1,
                         config=CONFIG + "output_size = 1K\n")
        self.assertEqual((row["status"], row["error"]),
                         ("failed", "result larger than 1 KB (output_size)"))


class Grammar(MessagesTest):
    """What breaks the protocol is retried, with the offending text in the error."""

    def broken(self, body):
        row = self.drain(body, code=1, config=CONFIG + "max_attempts = 1\n")
        self.assertEqual(row["status"], "exhausted")
        self.assertEqual(self.events("attempt.failed", "k")[0]["data"]["how"], "protocol error")
        self.assertTrue(row["error"].startswith("protocol error: "), row["error"])
        self.assertTrue(row["error"].isprintable(), row["error"])
        return row["error"]

    def test_garbage(self):
        self.assertIn(": hello there", self.broken("echo hello there >&3"))

    def test_a_wrong_type(self):
        error = self.broken("echo '{\"type\":\"cost\",\"usd\":\"free\"}' >&3")
        self.assertIn('"usd" of cost must be a number from 0 (column 22)', error)
        self.assertIn('"free"', error)

    def test_half_a_last_line(self):
        self.assertIn('{"type":"do', self.broken("printf '{\"type\":\"do' >&3"))

    def test_a_last_line_without_its_newline_counts(self):
        self.assertEqual(self.drain("printf '{\"type\":\"done\"}' >&3; exit 9")["status"], "done")

    def test_half_a_line_of_one_that_was_killed_is_not_blamed(self):
        row = self.drain("printf '{\"type\":\"do' >&3; kill -9 $$", code=1,
                         config=CONFIG + "max_attempts = 1\n")
        self.assertIn("SIGKILL", row["error"])

    def test_a_nul_byte(self):
        self.assertIn("NUL", self.broken("printf 'a\\000b\\n' >&3"))

    def test_control_characters_are_shown_as_text(self):
        self.assertIn("\\x1b", self.broken("printf '\\033[31mred\\n' >&3"))

    def test_a_line_of_a_mebibyte_and_one_more(self):
        head, tail = '{"type":"log","text":"', '"}'
        fill = (1 << 20) - len(head) - len(tail)
        body = (f"{{ printf '%s' '{head}'; head -c {{}} /dev/zero | tr '\\0' x;"
                f" printf '%s\\n' '{tail}'; }} >&3")
        self.assertEqual(self.drain(body.replace("{}", str(fill)))["status"], "done")
        for path_ in ("stint.db", "stint.db-wal", "stint.db-shm"):
            if os.path.exists(self.path(path_)):
                os.remove(self.path(path_))
        self.assertIn("longer than 1048576 bytes", self.broken(body.replace("{}", str(fill + 1))))

    def test_it_is_ended_at_once(self):
        error = self.broken("echo nonsense >&3; exec sleep 1000")
        self.assertIn("nonsense", error)

    def test_unknown_types_and_members_are_ignored(self):
        row = self.drain(say(type="news", x=1) + say(type="done", result=2, extra=[1]))
        self.assertEqual(row["status"], "done")


class Notes(MessagesTest):
    def test_a_retried_attempt_gets_its_checkpoint_back(self):
        row = self.drain(COUNT + "cat > request.$n\nif [ $n = 1 ]; then\n"
                         + say(type="checkpoint", data={"at": 1})
                         + say(type="checkpoint", data={"at": 2})
                         + say(type="progress", done=2, total=4) + "exit 75; fi\n"
                         + say(type="done"))
        self.assertEqual(row["status"], "done")
        with open(self.path("request.2"), encoding="utf-8") as f:
            self.assertEqual(json.load(f)["checkpoint"], {"at": 2})
        self.assertIsNone(row["checkpoint"]) # it is complete
        self.assertEqual(json.loads(row["progress"]), {"done": 2, "total": 4})

    def wait_checkpoint(self):
        wait_until(lambda: self.run_of("k", "s")["checkpoint"], "a checkpoint in the row")

    def test_the_checkpoint_survives_kill_9_of_the_worker(self):
        gate = self.gate()
        self.prepare(COUNT + "cat > request.$n\nif [ $n -gt 3 ]; then exit 0; fi\n"
                     + 'printf \'{"type":"checkpoint","data":%s}\\n\' $n >&3\n' + gate)
        pool = self.pool()
        for n in (1, 2, 3):
            wait_until(lambda n=n: self.run_of("k", "s")["checkpoint"] == str(n), f"checkpoint {n}")
            self.kill_worker(pool)
        row = self.wait_status("k", "s", "done")
        with open(self.path("request.4"), encoding="utf-8") as f:
            self.assertEqual(json.load(f)["checkpoint"], 3)
        # Each new checkpoint begins the row of interruptions anew.
        self.assertEqual((row["interruptions"], row["streak"], row["attempts"]), (3, 0, 1))
        pool.stop()

    def test_a_stopped_pool_keeps_the_checkpoint(self):
        self.prepare("trap '' TERM\n" + say(type="checkpoint", data=[5]) + "touch here\n"
                     "while :; do sleep 1; done", CONFIG + "grace = 100ms\n",
                     shutdown_timeout="100ms")
        pool = self.pool()
        wait_until(lambda: os.path.exists(self.path("here")), "the handler")
        pool.stop()
        row = self.run_of("k", "s")
        self.assertEqual((row["status"], row["checkpoint"], row["attempts"]), ("pending", "[5]", 0))

    def test_a_timed_out_attempt_keeps_the_checkpoint(self):
        row = self.drain(say(type="checkpoint", data=6) + "exec sleep 1000", code=1,
                         config=CONFIG + "timeout = 300ms\nmax_attempts = 1\n")
        self.assertEqual((row["status"], row["checkpoint"]), ("exhausted", "6"))

    def test_ten_thousand_notes_are_few_writes(self):
        self.prepare("seq 10000 | sed 's/.*/{\"type\":\"progress\",\"done\":&}/' >&3\n"
                     + self.gate() + "\n" + say(type="done"))
        self.stint("status")
        self.execute("CREATE TABLE writes (progress TEXT)")
        self.execute("CREATE TRIGGER count_writes AFTER UPDATE OF progress ON item_stages"
                     " WHEN NEW.progress IS NOT OLD.progress BEGIN"
                     " INSERT INTO writes VALUES (NEW.progress); END")
        pool = self.pool()
        wait_until(lambda: self.run_of("k", "s")["progress"] == '{"done":10000}', "the newest")
        self.open_gate()
        row = self.wait_status("k", "s", "done")
        pool.stop()
        took = row["ended_at"] - row["started_at"]
        writes = self.value("SELECT count(*) FROM writes")
        self.assertLessEqual(writes, took // 200 + 2, f"in {took} ms")


class Costs(MessagesTest):
    def test_costs_are_events_once(self):
        self.drain(say(type="cost", usd=0.25, of="model-x") * 2
                   + say(type="cost", tokens=1830) + "exit 0")
        found = [e["data"] for e in self.events("cost", "k")]
        self.assertEqual([(c["cost_usd"], c["tokens"], c["of"], c["n"]) for c in found],
                         [(0.25, 0, "model-x", 1), (0.25, 0, "model-x", 2), (0, 1830, None, 3)])
        self.assertEqual(self.query("SELECT sum(cost_usd) AS usd FROM v_costs")[0]["usd"], 0.5)

    def test_costs_are_booked_while_it_runs_and_stay_when_the_worker_is_killed(self):
        self.prepare(COUNT + say(type="cost", usd=1) + "[ $n -ge 4 ] || " + self.gate())
        pool = self.pool()
        for n in (1, 2, 3):
            wait_until(lambda n=n: len(self.events("cost")) == n, f"cost {n}")
            self.kill_worker(pool)
        self.wait_status("k", "s", "done")
        pool.stop()
        found = [(e["data"]["claim"], e["data"]["n"]) for e in self.events("cost")]
        self.assertEqual(len(found), 4)
        self.assertEqual(len(set(found)), 4)

    def test_costs_of_a_cancelled_run_are_recorded(self):
        self.prepare(say(type="cost", usd=2) + "touch here\n" + self.gate())
        pool = self.pool()
        wait_until(lambda: os.path.exists(self.path("here")), "the handler")
        self.stint("cancel", "-y", "job:j")
        wait_until(lambda: self.events("cost"), "its cost")
        pool.stop()
        self.assertEqual(self.run_of("k", "s")["status"], "cancelled")


class Spawn(MessagesTest):
    SPAWN = 'if [ "$STINT_ITEM" != k ]; then exit 0; fi\n'

    def rows(self):
        return {r["item_key"]: r for r in self.query("SELECT * FROM work_items")}

    def test_spawned_items_come_with_done(self):
        self.drain(self.SPAWN + say(type="spawn", items=[
            {"key": "a", "data": {"x": 1}, "priority": 7}, {"key": "b"}]) + say(type="done"))
        rows = self.rows()
        self.assertEqual(self.keys(), ["a", "b", "k"])
        self.assertEqual((rows["a"]["data"], rows["a"]["priority"], rows["a"]["source"],
                          rows["a"]["parent_id"], rows["a"]["depth"]),
                         ('{"x":1}', 7, "spawn", rows["k"]["id"], 1))
        self.assertEqual(rows["k"]["depth"], 0)

    def test_spawned_items_come_with_exit_status_0_and_with_skip(self):
        self.drain(self.SPAWN + say(type="spawn", items=items("a")) + "exit 99")
        self.assertEqual(self.keys(), ["a", "k"])

    def test_nothing_comes_of_an_attempt_that_dies(self):
        row = self.drain(self.SPAWN + say(type="spawn", items=items("a")) + "kill -9 $$", code=1)
        self.assertEqual((row["status"], self.keys()), ("exhausted", ["k"]))

    def test_what_a_checkpoint_covers_comes_with_it(self):
        row = self.drain(self.SPAWN + say(type="spawn", items=items("a"))
                         + say(type="checkpoint", data=1) + say(type="spawn", items=items("b")) + "kill -9 $$", code=1)
        self.assertEqual((row["status"], self.keys()), ("exhausted", ["a", "k"]))

    def test_other_jobs(self):
        self.drain(self.SPAWN + say(type="spawn", items=items("o", job="other")) + say(type="done"),
                   config=CONFIG + "[job other]\nhandler = builtin noop\n")
        self.assertEqual(self.keys("other"), ["o"])

    def test_an_unknown_job_fails_the_attempt(self):
        row = self.drain(self.SPAWN + say(
            type="spawn", items=items("a") + items("o", job="nowhere")) + say(type="done"), code=1)
        self.assertEqual((row["status"], self.keys()), ("failed", ["k"]))
        self.assertEqual(row["error"],
                         'spawned item o: there is no job "nowhere" in the configuration')

    def test_depth_is_bounded(self):
        self.prepare('printf \'{"type":"spawn","items":[{"key":"%s"}]}\\n\' "${STINT_ITEM}x" >&3',
                     CONFIG.replace("stages = s", "stages = s\nmax_depth = 3"))
        self.stint("run", "--drain", code=1)
        self.assertEqual(self.keys(), ["k", "kx", "kxx", "kxxx"])
        self.assertEqual(self.run_of("kxxx", "s")["error"],
                         "spawned items would be at depth 4; max_depth of [job j] is 3")

    def test_growth_is_bounded(self):
        row = self.drain(self.SPAWN + say(type="spawn", items=items(*"abcde"))
                         + say(type="done"), code=1, config=CONFIG.replace("stages = s", "stages = s\nmax_spawn = 4"))
        self.assertEqual((row["status"], row["error"], self.keys()), (
            "failed", "5 items spawned; max_spawn of [job j] is 4", ["k"]))

    def test_many_come_in_bites(self):
        self.prepare(self.SPAWN + SPAWN_2500
                     + say(type="checkpoint", data="all") + self.gate())
        pool = self.pool()
        wait_until(lambda: self.run_of("k", "s")["checkpoint"], "the checkpoint")
        self.assertEqual(self.value("SELECT count(*) FROM work_items"), 2501)
        self.assertEqual(self.run_of("k", "s")["status"], "in_progress")
        self.open_gate()
        pool.stop()

    def test_many_with_kills_come_all_and_once(self):
        self.config(CONFIG)
        self.script("handler", self.SPAWN + SPAWN_2500
                    + COUNT + "[ $n -ge 4 ] || " + self.gate())
        self.stint("add", "j", "k")
        pool = self.pool()
        for n in range(3):
            wait_until(lambda n=n: self.run_of("k", "s")["interruptions"] == n, f"attempt {n}")
            wait_until(lambda: self.value("SELECT count(*) FROM work_items") >= 2001, "its bites")
            self.kill_worker(pool)
        self.wait_status("k", "s", "done")
        self.assertEqual(self.value("SELECT count(*) FROM work_items"), 2501)
        wait_until(lambda: self.value(
            "SELECT count(*) FROM item_stages WHERE status = 'done'") == 2501, "all done", 120)
        pool.stop()
        self.assertEqual(self.value("SELECT max(attempts) FROM item_stages"), 1)


class Limit(MessagesTest):
    PACED = ("[resource api]\nrate = 1000/s\nburst = 100\n" + CONFIG.replace(
        "handler =", "resource = api\nhandler ="))

    def held(self, pool):
        rows = self.stint("resources", "--json").rows
        return rows[0]["held_until"]

    def test_a_limit_holds_everybody_and_survives_a_kill_of_the_pool(self):
        self.prepare(say(type="limit", retry_after="1h") + say(type="retry", why="HTTP 429"),
                     self.PACED, workers=8)
        self.stint("add", "j", *[f"k{n}" for n in range(200)])
        pool = self.pool()
        wait_until(lambda: self.held(pool), "the hold")
        wait_until(lambda: not self.value(
            "SELECT count(*) FROM item_stages WHERE status = 'in_progress'"), "quiet")
        snoozed = self.value("SELECT sum(snoozes) FROM item_stages")
        self.assertLessEqual(snoozed, 8) # those that had begun by then
        pool.kill_all()
        pool.process.wait()
        again = self.pool()
        self.assertTrue(self.held(again))
        self.assertEqual(self.value("SELECT sum(snoozes) FROM item_stages"), snoozed)
        again.stop()
        self.assertEqual({e["data"]["resource"] for e in self.events("resource.held")}, {"api"})

    def test_it_ends_by_time(self):
        row = self.drain(COUNT + "[ $n -ge 3 ] || {\n" + say(
            type="limit", resource="api", retry_after=0.3) + say(type="retry", why="429") + "}", config=self.PACED)
        self.assertEqual((row["status"], row["attempts"], row["snoozes"]), ("done", 1, 2))

    def test_an_unknown_resource_fails_the_attempt(self):
        row = self.drain(say(type="limit", resource="apo", retry_after=1), code=1,
                         config=self.PACED)
        self.assertEqual((row["status"], row["error"]), (
            "failed", 'limit of resource "apo": there is no section [resource apo] in the'
            ' configuration'))


class Logs(MessagesTest):
    def test_log_messages_are_kept_with_a_failure(self):
        self.drain(say(type="log", level="warn", text="no charset given") + "exit 65", code=1)
        self.assertIn("warn: no charset given", self.events("attempt.failed")[0]["data"]["log"])


if __name__ == "__main__":
    from stint_test import main
    main()
