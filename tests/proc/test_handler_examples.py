"""conf/examples/handlers: the same task in every language, against wc: alone, restored from each one's
own checkpoints, and all of them as stages of a pool whose workers are killed."""
import json
import os
import re
import shutil
import subprocess

import path  # noqa: F401
import procs
from resident import Resident
from stint_test import BIN, ROOT, StintTest, main
from waiting import GENEROUS, wait_until

EXAMPLES = os.path.join(ROOT, "conf", "examples", "handlers")
BLOCK = "400"
# stage: how it is started alone, and what it needs
RESIDENTS = {
    "python": (["./count.py"], "python3"),
    "asyncio": (["./count_async.py"], "python3"),
    "node": (["./count.js"], "node"),
    "shell": (["./count.sh"], "sh"),
    "c_plugin": ([f"{BIN}/stint-plugin", "./count_plugin.so"], "cc"),
    "perl": (["./count.pl"], "perl"),
}
EXECS = {"python_exec": (["./count.py"], "python3"), "shell": (["./count.sh"], "sh"),
         "c_exec": (["./count_exec"], "cc")}
TEXT = "".join(f"{'word ' * (n % 7)}\t{n}\n" * (n % 3) for n in range(300)) + "the last, unended"


def has(program):
    if program == "perl":
        return subprocess.run(["perl", "-MJSON::PP", "-e", "1"], capture_output=True,
                              check=False).returncode == 0
    return shutil.which(program)


NEEDS = {"node": "node", "perl": "perl"}  # by stages


class Prepared(StintTest):
    def setUp(self):
        super().setUp()
        self.texts = self.path("some-texts")
        self.write("some-texts/a text", TEXT)
        self.dir = self.path("count")  # what is started, starts there
        done = subprocess.run([f"{EXAMPLES}/prepare", self.dir, self.texts], capture_output=True,
                              text=True, check=False, env=self.environment())
        self.assertEqual(done.returncode, 0, done.stderr)

    def environment(self, env=None):
        return super().environment({"BLOCK": BLOCK, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})})

    def counts(self, name):
        """(lines, words), as wc has them."""
        out = subprocess.run(["wc", "-lw", name], capture_output=True, text=True, check=True,
                             cwd=self.dir).stdout
        return tuple(int(n) for n in out.split()[:2])


class Alone(Prepared):
    def resident(self, argv, checkpoint):
        handler = Resident(self, argv)
        self.assertEqual(handler.hear()["type"], "hello")
        handler.ask("texts/a text", checkpoint=checkpoint)
        said = handler.hear_outcome()
        self.assertEqual(handler.finish()[0], 0)
        return said

    def exec(self, argv, checkpoint):
        request = {"type": "run", "id": 1, "job": "j", "stage": "s", "key": "texts/a text",
                   "data": {}, "attempt": 1, "max_attempts": 5, "checkpoint": checkpoint}
        done = subprocess.run(
            ["bash", "-c", 'exec "$@" 3>&1', "", *argv], cwd=self.dir, check=True, timeout=GENEROUS,
            input=json.dumps(request, separators=(",", ":")) + "\n", capture_output=True, text=True,
            env=self.environment({"STINT_CONTROL_FD": "3", "STINT_ITEM": "texts/a text"}))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def each(self):
        for ask, handlers in ((self.resident, RESIDENTS), (self.exec, EXECS)):
            for stage, (argv, program) in handlers.items():
                if has(program):
                    yield stage, lambda checkpoint, ask=ask, argv=argv: ask(argv, checkpoint)

    def test_each_counts_as_wc(self):
        for stage, ask in self.each():
            said = ask(None)
            result = said[-1]["result"]
            self.assertEqual((result["lines"], result["words"]), self.counts("texts/a text"), stage)
            self.assertEqual(result["started_at"], 0)
            self.assertGreater(len([m for m in said if m["type"] == "checkpoint"]), 3)
            progress = [m for m in said if m["type"] == "progress"]
            self.assertGreaterEqual(progress[-1]["total"], progress[-1]["done"])

    def test_each_goes_on_from_each_of_its_checkpoints(self):
        for stage, ask in self.each():
            checkpoints = [m["data"] for m in ask(None) if m["type"] == "checkpoint"]
            for checkpoint in checkpoints[:: 3 if stage in ("shell", "node") else 1]:
                result = ask(checkpoint)[-1]["result"]
                self.assertEqual((result["lines"], result["words"]), self.counts("texts/a text"),
                                 stage)
                self.assertGreater(result["started_at"], 0, stage)

    def test_a_file_that_is_not_there(self):
        for argv in ("./count.py", "./count.sh", "./count_exec"):
            found = self.stint("handler-check", "--json", "--key", "texts/none", argv).json
            self.assertTrue(found["outcome"].startswith("fail"), found)


class Pipeline(Prepared):
    def setUp(self):
        super().setUp()
        with open(self.path("stint.conf"), encoding="utf-8") as f:
            conf = f.read()
        for stage, program in NEEDS.items():
            if not has(program):
                conf = re.sub(rf"\n\[stage count.{stage}\](?:\n.+)*", "", conf).replace(
                    f" {stage} ", " ")
        self.write("stint.conf", conf.replace("workers = 4", "workers = 3"))
        for n in range(4):
            self.write(f"../some-texts/{n}", TEXT * n)

    def assert_counted(self):
        names = sorted(f"texts/{name}" for name in os.listdir(self.texts))
        for name in names:
            self.assertEqual(set(self.statuses(name).values()), {"done"})
            found = self.result_of(name, "agree")
            self.assertEqual((found["lines"], found["words"]), self.counts(name))
        return names

    def test_all_agree(self):
        self.stint("check")
        self.stint("run", "--drain", code=0, timeout=300)
        self.assert_counted()

    def in_the_middle(self):
        """A worker whose run has a checkpoint by now."""
        return self.query("SELECT claim FROM item_stages WHERE status = 'in_progress'"
                          " AND checkpoint IS NOT NULL")

    def test_killed_in_the_middle(self):
        pool = self.pool("--drain", env={"BLOCK": "20"})
        for _ in range(12):
            wait_until(lambda: self.in_the_middle() or pool.process.poll() is not None, "a checkpoint")
            if pool.process.poll() is not None:
                break
            for pid in pool.worker_pids():
                procs.kill(pid)
        self.assertEqual(pool.wait(300), 0, pool.log())
        names = self.assert_counted()
        self.assertTrue(self.events("attempt.interrupted"))
        started_at = [self.result_of(name, stage)["started_at"] for name in names
                      for stage in self.statuses(name) if stage != "agree"]
        self.assertGreater(max(started_at), 0, "nothing went on from a checkpoint")


if __name__ == "__main__":
    main()
