"""What handlers of exec say over descriptor 3: outcomes, notes, and what breaks the protocol."""
import json
import os
import unittest

import path  # noqa: F401
from messages import CONFIG, COUNT, MessagesTest, items, say
from waiting import wait_until


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


if __name__ == "__main__":
    unittest.main(verbosity=2)
