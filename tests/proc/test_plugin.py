"""stint-plugin, spoken to directly: what a plugin says becomes the protocol, and what it does wrong
ends its run, or its host, and nothing else."""
import os
import shutil
import signal
import subprocess

import path  # noqa: F401
from resident import Resident
from stint_test import BIN, StintTest, main
from waiting import GENEROUS, wait_until

PLUGINS = os.path.join(BIN, "tests", "lib")


class Plugin(StintTest):
    def plugin(self, name):
        """Built with the umask of the day; here only its owner may write it."""
        place = shutil.copy(os.path.join(PLUGINS, f"{name}.so"), self.path(f"{name}.so"))
        os.chmod(place, 0o755)
        return place

    def host(self, *args, hello=True):
        resident = Resident(self, [f"{BIN}/stint-plugin", self.plugin("nasty"), *args])
        if hello:
            self.assertEqual(resident.hear(), {"type": "hello", "protocol": 1, "version": "1.5"})
        return resident

    def refused(self, *args):
        """What is said when it cannot begin."""
        done = subprocess.run([f"{BIN}/stint-plugin", *args], stdin=subprocess.DEVNULL, check=False,
                              capture_output=True, text=True, timeout=GENEROUS,
                              env=self.environment())
        self.assertEqual((done.returncode, done.stdout), (78, ""), done.stderr)
        return done.stderr

    # -- what a plugin says

    def test_every_message(self):
        host = self.host()
        host.ask("all", 7)
        said = host.hear_outcome()
        self.assertEqual({m.pop("id") for m in said}, {7})
        self.assertEqual(said, [
            {"type": "progress", "done": 1, "total": 10},
            {"type": "checkpoint", "data": {"offset": 5}},
            {"type": "cost", "usd": 0.5, "tokens": 7, "of": 'model "x"'},
            {"type": "limit", "resource": "api", "key": "host", "retry_after": 30},
            {"type": "spawn", "items": [
                {"job": "other", "key": "x", "data": {"a": 1}, "priority": 4}, {"key": "y"}]},
            {"type": "log", "level": "warn", "text": "two\nlines"},
            {"type": "done", "result": [1, 2]}])
        self.assertEqual(host.finish(), (0, ""))

    def test_every_outcome(self):
        host = self.host()
        wanted = {"retry": {"why": "HTTP 503", "after": 30}, "snooze": {"why": "not yet", "after": 600},
                  "wait": {"items": [{"key": "k"}], "on_failure": "continue"}}
        for key, members in wanted.items():
            host.ask(key, 3)
            self.assertEqual(host.hear(), {"type": key, "id": 3, **members})
        self.assertEqual(host.finish(), (0, ""))

    def test_members_of_the_request(self):
        host = self.host()
        text = 'a"\né'
        host.ask("request", stage="s", attempt=4, data={"list": [{"text": "no"}, {"text": text}]},
                 inputs={"none": None, "first": {"n": -1.5}})
        self.assertEqual(host.hear()["result"],
                         {"text": text, "stage": "s", "attempt": 4, "n": -1.5, "none": None})
        host.ask("restored", checkpoint={"offset": [1, {"x": "]"}]})
        self.assertEqual(host.hear()["result"], {"offset": [1, {"x": "]"}]})
        host.ask("restored", checkpoint=None)
        self.assertIsNone(host.hear()["result"])

    def test_data_of_the_configuration(self):
        for data in ('{"depth": 2}', None):
            host = self.host(*([data] if data else []))
            host.ask("state")
            self.assertEqual(host.hear()["result"], {"depth": 2} if data else None)
            self.assertEqual(host.finish(), (0, ""))

    def test_batch(self):
        host = self.host()
        host.say(type="run", id=5, stage="s", items=[
            {"key": "retry"}, {"key": "restored", "checkpoint": 8}, {"key": "all"}])
        said = [m for _ in range(3) for m in host.hear_outcome()]
        self.assertEqual([(m["key"], m["type"]) for m in said if m["type"] in ("retry", "done")],
                         [("retry", "retry"), ("restored", "done"), ("all", "done")])
        self.assertEqual([m["key"] for m in said if m["type"] == "limit"], ["host"])
        self.assertEqual({m["id"] for m in said}, {5})

    def test_large_request(self):
        host = self.host()
        host.ask("restored", checkpoint="x" * 3000000)
        self.assertIn("longer than a message", host.hear()["why"])
        host.ask("restored", checkpoint="x" * 1000000)
        self.assertEqual(len(host.hear()["result"]), 1000000)

    # -- being asked to give up

    def test_cancel(self):
        host = self.host()
        host.ask("until-cancelled", 1)
        host.ask("state", 2)
        host.ask("state", 3)
        host.say(type="cancel", id=2)
        host.say(type="cancel", id=9)
        host.say(type="cancel", id=1)
        said = [host.hear() for _ in range(3)]
        self.assertEqual([(m["id"], m["type"]) for m in said], [(1, "retry"), (2, "retry"),
                                                                 (3, "done")])
        self.assertEqual(host.finish()[0], 0)

    # -- what it does wrong

    def test_what_is_said_wrongly_fails_the_run_alone(self):
        host = self.host()
        for key, words in (("not-json", "checkpoint: what should be JSON"), ("not-utf8", "caf\ufffd"),
                           ("no-word", "debug, info, warn or error")):
            host.ask(key)
            outcome = host.hear()
            self.assertEqual(outcome["type"], "fail")
            self.assertIn(words, outcome["why"])
        host.ask("nothing")
        self.assertEqual(host.hear(), {"type": "retry", "id": 1,
                                       "why": "the plugin returned without an outcome"})
        host.ask("twice")
        self.assertEqual(host.hear(), {"type": "skip", "id": 1, "why": "first"})
        host.ask("prints")
        self.assertEqual(host.hear()["type"], "retry")
        code, err = host.finish()
        self.assertEqual(code, 0)
        self.assertIn("printed\n", err)
        self.assertIn("done after the outcome of twice: dropped", err)

    def test_it_can_end_its_host(self):
        for key, status in (("segfault", -signal.SIGSEGV), ("abort", -signal.SIGABRT), ("exit", 0),
                            ("closes", 70), ("closes-and-opens", 70)):
            with self.subTest(key):
                host = self.host()
                host.ask(key)
                self.assertIsNone(host.hear())
                self.assertEqual(host.finish()[0], status)
        self.assertEqual(os.path.getsize(self.path("opened")), 0)

    def test_exit_is_named(self):
        host = self.host()
        host.ask("exit")
        self.assertIsNone(host.hear())
        self.assertIn("the plugin called exit() in its run()", host.finish()[1])

    def test_an_endless_loop_can_be_ended(self):
        host = self.host()
        host.ask("loop")
        host.process.send_signal(signal.SIGTERM)
        self.assertIsNone(host.hear())
        self.assertEqual(host.finish()[0], -signal.SIGTERM)

    def test_its_descriptors(self):
        host = self.host()
        fds = wait_until(lambda: {fd: os.readlink(f"/proc/{host.process.pid}/fd/{fd}") for fd in
                                  os.listdir(f"/proc/{host.process.pid}/fd")}, "descriptors")
        self.assertEqual(fds["0"], "/dev/null")
        self.assertEqual(fds["1"], fds["2"])
        self.assertEqual(sorted(int(fd) > 60 for fd in fds), [False] * 3 + [True] * 2)

    # -- what cannot begin

    def test_it_refuses(self):
        for name, words in (("wrong_abi", "is made for ABI 2 of plugins, this stint has 1"),
                            ("no_run", "has no .run"), ("no_symbol", "has no symbol stint_plugin")):
            self.assertIn(words, self.refused(self.plugin(name)))
        self.assertIn("cannot load", self.refused(self.write("text.so", "hello", 0o644)))
        self.assertIn("No such file", self.refused(self.path("none.so")))
        self.assertIn("is no file", self.refused(self.dir))
        self.assertIn("is not JSON", self.refused(self.plugin("nasty"), "{oops"))
        self.assertIn("open() returned 3", self.refused(self.plugin("nasty"), '"refuse"'))

    def test_it_refuses_what_others_may_write(self):
        place = self.plugin("nasty")
        for mode in (0o777, 0o757, 0o775):
            os.chmod(place, mode)
            self.assertIn(f"chmod go-w {os.path.realpath(place)}", self.refused(place))


class InAPool(StintTest):
    """Whatever a plugin does, only its host may die: no worker, no other run."""
    NASTY = ("segfault", "exit", "abort", "loop", "closes", "closes-and-opens")

    def start(self, name="nasty", **tuning):
        place = shutil.copy(os.path.join(PLUGINS, f"{name}.so"), self.path("plugin.so"))
        os.chmod(place, 0o755)
        lines = {"max_attempts": 1, "timeout": "2s", "grace": "100ms", **tuning}
        self.config("[job p]\nhandler = plugin ./plugin.so '{\"depth\":2}'\n" +
                    "".join(f"{k} = {v}\n" for k, v in lines.items()), workers=1)
        return self.pool()

    def test_only_its_host_may_die(self):
        pool = self.start()
        worker = pool.worker_pids()
        good = [f"state-{n}" for n in range(3)]
        self.stint("add", "p", "state", *self.NASTY, "not-json", *good)
        for key in self.NASTY:
            self.wait_status(key, "p", "exhausted")
        self.wait_status("not-json", "p", "failed")
        for key in good:  # the plugin knows no such word, and says no outcome
            self.wait_status(key, "p", "exhausted")
        self.wait_status("state", "p", "done")
        self.assertEqual(self.result_of("state", "p"), {"depth": 2})
        self.assertEqual(pool.worker_pids(), worker)
        errors = {e["key"]: e["data"]["why"] for e in self.events("attempt.failed")}
        self.assertIn("signal 11", errors["segfault"])
        self.assertIn("signal 6", errors["abort"])
        self.assertIn("exit()", errors["exit"])
        self.assertIn("timeout", errors["loop"])
        self.assertIn("exit 70", errors["closes"])  # its stderr is closed, too
        self.assertIn("should be JSON", errors["not-json"])
        self.assertEqual(os.path.getsize(self.path("opened")), 0)
        self.assertEqual(pool.stop(), 0)

    def test_one_that_cannot_begin_pauses_its_stage(self):
        self.start("wrong_abi")
        self.stint("add", "p", "k")
        paused = wait_until(lambda: self.events("stage.paused"), "paused")
        self.assertIn("is made for ABI 2", paused[0]["data"]["why"])
        self.assertEqual(self.run_of("k")["attempts"], 0)


if __name__ == "__main__":
    main()
