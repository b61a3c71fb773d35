"""exit.N, permanent, transient, retryable: what a stage's own rules make of an end."""
import os
import unittest

import path  # noqa: F401
from messages import CONFIG, COUNT, MessagesTest, say


class Verdicts(MessagesTest):
    def one(self, body, rules, code=1):
        row = self.drain(body, code=code, config=CONFIG + "max_attempts = 2\n" + rules)
        return row["status"], row["attempts"]

    def test_exit_n_replaces_the_table(self):
        for act, status, code in (("done", "done", 0), ("skip", "skipped", 0), ("fail", "failed", 1),
                                  ("retry", "exhausted", 1)):
            with self.subTest(act=act):
                self.assertEqual(self.one("exit 65", f"exit.65 = {act}\n", code)[0], status)
                for name in ("stint.db", "stint.db-wal", "stint.db-shm"):
                    if os.path.exists(self.path(name)):
                        os.remove(self.path(name))

    def test_exit_n_snoozes(self):
        row = self.drain(COUNT + "[ $n -ge 3 ] || exit 9\nexit 0",
                         config=CONFIG + "exit.9 = snooze 10ms\n")
        self.assertEqual((row["status"], row["attempts"], row["snoozes"]), ("done", 1, 2))

    def test_exit_n_pauses_the_stage(self):
        self.prepare("echo no key >&2; exit 9", CONFIG + "exit.9 = pause\n")
        pool = self.pool()
        row = self.wait_status("k", "s", "retry_later")
        pool.stop()
        self.assertEqual(row["attempts"], 0)
        self.assertEqual(self.events("stage.paused")[0]["data"]["why"], "no key")

    def test_permanent_fails_at_once(self):
        self.assertEqual(self.one("echo HTTP 404 >&2; exit 1", "permanent = HTTP 4(04|10)\n"),
                         ("failed", 1))

    def test_transient_retries_what_says_fail(self):
        self.assertEqual(self.one(say(type="fail", why="HTTP 503"), "transient = HTTP 5..\n"),
                         ("exhausted", 2))

    def test_not_retryable(self):
        self.assertEqual(self.one("kill -9 $$", "retryable = no\n"), ("failed", 1))

    def test_stages_inherit_and_override(self):
        self.drain("exit 4", config=CONFIG.replace(
            "stages = s", "stages = s\nexit.4 = fail\nexit.5 = skip") + "exit.4 = skip\n")
        shown = {r["key"]: (r["value"], r["line"]) for r in self.stint(
            "config", "show", "--json").rows if str(r.get("key")).startswith("exit.")}
        self.assertEqual({k: v[0] for k, v in shown.items()}, {"exit.4": "skip", "exit.5": "skip"})

    def test_mistakes_are_told_with_their_line(self):
        for line, told in (
                ("exit.256 = done", '"256" is no exit status from 0 to 255'),
                ("exit.x = done", '"x" is no exit status'),
                ("exit.3 = maybe", '"maybe"; expected done, retry, snooze and a duration'),
                ("exit.3 = snooze", 'expected done, retry, snooze and a duration'),
                ("exit.3 = snooze 5", "5"),
                ("permanent = a(b", "no regular expression"),
                ("transient = [z-a]", "no regular expression"),
                ("retryable = perhaps", "yes or no"),
                ("exit.3 = done\nexit.3 = fail", "is there twice")):
            with self.subTest(line=line):
                self.script("handler", "exit 0")
                self.config(CONFIG + line + "\n")
                err = self.stint("check", code=78).err
                self.assertRegex(err, r"stint.conf:\d+: ")
                self.assertIn(told, err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
