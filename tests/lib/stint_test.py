"""The fixture of all tests of the real binaries: a directory, commands, pools, the database.

Everything a test makes lies in one temporary directory; every process it starts carries a mark in
its environment. At the end of each test nothing of either may be left, and no program may have
reported a sanitizer error. Programs are found through STINT_BIN.
"""
import json
import os
import pty
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import uuid

sys.dont_write_bytecode = True

import ledger
import procs
from pool import Pool
from waiting import wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("STINT_BIN", os.path.join(ROOT, "build")))
TEST_HANDLER = os.environ.get("STINT_TEST_HANDLER", f"{BIN}/tests/lib/test-handler")
COMMAND_TIMEOUT = 120
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|UndefinedBehavior")

POOL_DEFAULTS = {
    "workers": 2,
    "heartbeat_interval": "200ms",
    "heartbeat_timeout": "5s",
    "shutdown_timeout": "20s",
}


class Terminated(SystemExit):
    """The test runner's time is up: clean up what is there, begin nothing more."""


def terminate(signum, _frame):
    Terminated.is_here = True
    raise Terminated(128 + signum)


Terminated.is_here = False
signal.signal(signal.SIGTERM, terminate)


class Result:
    """What a command said: code, out, err; .json for one object, .rows for NDJSON."""

    def __init__(self, argv, code, out, err):
        self.argv, self.code, self.out, self.err = argv, code, out, err

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def rows(self):
        return [json.loads(line) for line in self.out.split("\n") if line]

    def __str__(self):
        return f"{' '.join(self.argv)} → {self.code}\n{self.out}\n{self.err}"


class StintTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        if Terminated.is_here:
            self.skipTest("told to end")
        self.dir = tempfile.mkdtemp(prefix="stint-t-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        procs.forget_pool_cgroup(self.dir)
        self.mark = f"STINT_TEST_MARK={uuid.uuid4().hex}"
        self.shm = set(os.listdir("/dev/shm"))
        self.tmp = self.path("tmp")
        os.mkdir(self.tmp)
        self.pools = []
        self.gates = {}
        self.logs = []
        self.addCleanup(self._leftovers)

    # -- files

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def script(self, name, body):
        """An executable shell handler; returns its path. BODY without the #! line."""
        return self.write(name, "#!/bin/sh\n" + body.rstrip("\n") + "\n", 0o700)

    def ledger_script(self, name, body):
        """As script, but each run writes its begin and end to the ledger."""
        return self.write(name, ledger.shell(self.ledger_path, body), 0o700)

    def gate(self, name="gate"):
        """A gate that handlers wait at with the returned shell text, until it is opened."""
        path = self.path(name)
        os.mkfifo(path, 0o600)
        self.gates[name] = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self.addCleanup(os.close, self.gates[name])
        return f"read -r _ <'{path}'"

    def open_gate(self, name="gate"):
        """Lets through all who wait and the next thousands who come: a byte each."""
        os.write(self.gates[name], b"\n" * 8192)

    @property
    def ledger_path(self):
        return self.path("ledger")

    def ledger(self):
        return ledger.read(self.ledger_path)

    def begun(self, item=None, stage=None):
        return [x for x in self.ledger() if x.what == "begin"
                and item in (None, x.item) and stage in (None, x.stage)]

    def config(self, jobs, **pool):
        lines = [f"{key} = {value}" for key, value in {**POOL_DEFAULTS, **pool}.items()]
        self.write("stint.conf", "[pool]\n" + "\n".join(lines) + "\n\n" + jobs)

    # -- commands

    def environment(self, env=None):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("STINT_")}
        name, _, value = self.mark.partition("=")
        return {**clean, name: value, "TMPDIR": self.tmp, "NO_COLOR": "1", "TERM": "xterm",
                **(env or {})}

    def stint(self, *args, code=0, stdin=None, env=None, cwd=None, timeout=COMMAND_TIMEOUT,
              program="stint"):
        """Runs a command in the test's directory and expects its exit CODE (None: any)."""
        argv = [f"{BIN}/{program}", *args]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout,
                              cwd=cwd or self.dir, env=self.environment(env), check=False,
                              **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))
        result = Result(["stint", *args], done.returncode, done.stdout, done.stderr)
        self.logs.append((" ".join(result.argv), done.stderr))
        if code is not None:
            self.assertEqual(done.returncode, code, str(result))
        return result

    def ask(self, answer, *args):
        """A command that asks on a terminal, and is answered: its code, output, and the terminal."""
        ours, theirs = pty.openpty()
        try:
            os.write(ours, answer)
            done = subprocess.run([f"{BIN}/stint", *args], stdin=theirs, stderr=theirs, text=True,
                                  stdout=subprocess.PIPE, timeout=COMMAND_TIMEOUT, cwd=self.dir,
                                  env=self.environment(), check=False)
        finally:
            os.close(theirs)
            said = read_all(ours)
        return done.returncode, done.stdout, said

    def pool(self, *args, is_ready=True, env=None):
        """Starts `stint run ARGS` in the test's directory; ready means all workers are there."""
        pool = Pool(self.dir, [f"{BIN}/stint", "run", *args], self.environment(env))
        self.pools.append(pool)
        if is_ready:
            pool.wait_ready()
        return pool

    # -- the database

    @property
    def database(self):
        return self.path("stint.db")

    def query(self, sql, *args):
        """Rows as dicts, read without ever writing."""
        db = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)
        try:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(sql, args)]
        finally:
            db.close()

    def value(self, sql, *args):
        rows = self.query(sql, *args)
        return next(iter(rows[0].values())) if rows else None

    def execute(self, sql, *args):
        """One foreign write by the stock library, in a transaction of its own."""
        db = sqlite3.connect(self.database, timeout=30)
        try:
            with db:
                return db.execute(sql, args).rowcount
        finally:
            db.close()

    def runs(self, job=None):
        """Stage runs as dicts with job, key and stage by name, in order of item and stage."""
        return self.query(
            "SELECT j.name AS job, i.item_key AS key, s.name AS stage, r.* FROM item_stages r"
            " JOIN work_items i ON i.id = r.item_id JOIN stages s ON s.id = r.stage_id"
            " JOIN jobs j ON j.id = i.job_id WHERE (? IS NULL AND j.name NOT LIKE '@%')"
            " OR j.name = ? ORDER BY i.id, s.position", job, job)

    def run_of(self, key, stage=None):
        found = [r for r in self.runs() if r["key"] == key and stage in (None, r["stage"])]
        self.assertEqual(len(found), 1, f"stage runs of {key} {stage}")
        return found[0]

    def statuses(self, key):
        return {r["stage"]: r["status"] for r in self.runs() if r["key"] == key}

    def events(self, event=None, key=None):
        rows = self.query(
            "SELECT e.*, i.item_key AS key, s.name AS stage FROM events e LEFT JOIN work_items i"
            " ON i.id = e.item_id LEFT JOIN stages s ON s.id = e.stage_id ORDER BY e.id")
        for row in rows:
            row["data"] = json.loads(row["data"]) if row["data"] else {}
        return [r for r in rows if event in (None, r["event"]) and key in (None, r["key"])]

    def result_of(self, key, stage):
        data = self.value(
            "SELECT r.data FROM results r JOIN work_items i ON i.id = r.item_id JOIN stages s"
            " ON s.id = r.stage_id WHERE i.item_key = ? AND s.name = ? AND NOT r.superseded",
            key, stage)
        return None if data is None else json.loads(data)

    def wait_status(self, key, stage, *wanted):
        """Waits until the stage run has one of the statuses; returns its row."""
        def look():
            row = self.run_of(key, stage)
            return row if row["status"] in wanted else None
        return wait_until(look, lambda: f"{key} {stage} {wanted}, is {self.statuses(key)}")

    def assert_counts_exact(self):
        """stage_counts says what a recount says, in one read of the database."""
        rows = self.query("SELECT * FROM stage_counts")
        self.assertEqual(mismatched_counts(self.database), [], rows)

    # -- the end of each test

    def alive(self):
        return sorted(set(procs.marked(self.mark)) | set(procs.below(self.dir)))

    def _leftovers(self):
        for pool in self.pools:
            pool.end()
        problems = []
        # What a pool's end kills may need a moment to be reaped; what stays is a leak.
        try:
            wait_until(lambda: not self.alive(), "no process left", 10)
        except AssertionError:
            left = self.alive()
            problems += [f"left alive: {procs.describe(pid)}" for pid in left]
            for pid in left:
                procs.kill(pid)
        problems += [f"left in /dev/shm: {name}" for name in
                     set(os.listdir("/dev/shm")) - self.shm]
        problems += [f"left in TMPDIR: {name}" for name in os.listdir(self.tmp)]
        if procs.pool_cgroup(self.dir):
            problems.append(f"left: control group {procs.pool_cgroup(self.dir)}")
        texts = self.logs + [(f"pool {p.argv[1:]}", p.log()) for p in self.pools]
        problems += [f"{who}: sanitizer report:\n{text[-6000:]}" for who, text in texts
                     if SANITIZER.search(text)]
        if problems:
            self.fail("\n".join(problems))


def read_all(terminal):
    """What a terminal was told, in however many pieces, once nobody has its other end."""
    found = b""
    try:
        while piece := os.read(terminal, 65536):
            found += piece
    except OSError: # EIO: the end
        pass
    os.close(terminal)
    return found.decode()


def mismatched_counts(database):
    """(stage_id, status, counted, recounted) where stage_counts is wrong; one snapshot."""
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        db.row_factory = sqlite3.Row
        db.execute("BEGIN")
        real = {}
        for row in db.execute("SELECT stage_id, status, COUNT(*) AS n FROM item_stages"
                              " GROUP BY stage_id, status"):
            real[row["stage_id"], row["status"]] = row["n"]
        return [(row["stage_id"], status, row[status], real.get((row["stage_id"], status), 0))
                for row in db.execute("SELECT * FROM stage_counts") for status in STATUSES
                if row[status] != real.get((row["stage_id"], status), 0)]
    finally:
        db.close()


STATUSES = ("blocked", "pending", "in_progress", "retry_later", "held", "done", "skipped",
            "failed", "exhausted", "cancelled")


def main():
    unittest.main(verbosity=2)
