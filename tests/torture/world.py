"""What the torture tortures: a directory with a three-stage job, an operator who keeps adding, a
pool that is started again whenever it is gone, and the evidence for the checker.

The operator is honest: "try KEY" is on disk before an add begins, "ack KEY" after its exit 0.
"""
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import checker
import procs
from pool import Pool
from waiting import wait_until

KINDS = {1: "-retry", 2: "-skip", 3: "-fail", 5: "-note", 7: "-orphan", 13: "-orphan"}
BITE = 20
JOB = "t"
BATCH_HANDLER = os.path.join(os.path.dirname(procs.__file__), "batch_handler.py")


class World:
    def __init__(self, options, **pool_keys):
        self.bin, self.handler = options.bin, options.handler
        self.dir = tempfile.mkdtemp(prefix=f"stint-torture-{options.scenario}-")
        self.mark = uuid.uuid4().hex
        self.shm = set(os.listdir("/dev/shm"))
        self.database = self.path("stint.db")
        self.handlers = self.path("handlers")
        self.started = time.monotonic()
        self.pool, self.pools, self.extra_env = None, [], {}
        self.violations, self.lock = [], threading.Lock()
        self.tmp = self.path("tmp")
        os.mkdir(self.tmp)
        self.ledger = open(self.path("ledger"), "a", encoding="utf-8")
        self.acts = open(self.path("nemesis.jsonl"), "a", encoding="utf-8")
        self.options, self.pool_keys = options, pool_keys
        self.write_config()
        self.operator = Operator(self, options.backlog)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write_config(self, extra="", slower=0):
        """EXTRA: a line for every stage; SLOWER: another handler, by so many milliseconds."""
        options, pool_keys = self.options, self.pool_keys
        keys = {"workers": options.workers, "heartbeat_interval": "100ms",
                "heartbeat_timeout": "3s", "shutdown_timeout": "20s", **pool_keys}
        lines = ["[pool]"] + [f"{k} = {v}" for k, v in keys.items()]
        lines += [f"[job {JOB}]", "stages = a b c", "backoff = 50ms"]
        for stage in "abc":
            program, ms = self.handler, options.work_ms + slower
            if options.batch > 1 and stage == "a":
                program, ms = f"{sys.executable} {BATCH_HANDLER}", 1
            lines += [f"[stage {JOB}.{stage}]", f"handler = exec {program} {self.handlers} {ms}",
                      f"batch = {options.batch if stage == 'a' else 1}", extra]
        self.write_text("stint.conf", "\n".join(lines) + "\n")

    def write_text(self, name, text):
        """Whole or not at all: a pool may be reading it just now."""
        fd = os.open(self.path(name + ".new"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(self.path(name + ".new"), self.path(name))

    # -- what is noted

    def record(self, *words):
        with self.lock:
            self.ledger.write("".join(f"{w}\n" for w in words))
            self.ledger.flush()
            os.fsync(self.ledger.fileno())

    def act(self, act, **what):
        """A decision of the nemesis or of the clock that keeps the pool alive, for the replay."""
        with self.lock:
            json.dump({"t": round(time.monotonic() - self.started, 4), "act": act, **what},
                      self.acts)
            self.acts.write("\n")
            self.acts.flush()

    def violate(self, invariant, text):
        with self.lock:
            self.violations.append(checker.Violation(invariant, text))
        self.act("violation", invariant=invariant, text=text)

    # -- processes

    def environment(self):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("STINT_")}
        return {**clean, "STINT_TEST_MARK": self.mark, "TMPDIR": self.tmp, **self.extra_env}

    def command(self, *args, timeout=120):
        return subprocess.run([f"{self.bin}/stint", *args], cwd=self.dir, timeout=timeout,
                              env=self.environment(), capture_output=True, text=True, check=False)

    def start(self, *args, is_ready=True):
        self.act("start", args=args)
        self.pool = Pool(self.dir, [f"{self.bin}/stint", "run", *args], self.environment(),
                         f"pool-{len(self.pools)}.log")
        self.pools.append(self.pool)
        if is_ready:
            self.pool.wait_ready()
        return self.pool

    def is_up(self):
        return self.pool is not None and self.pool.process.poll() is None

    # -- looking

    def query(self, sql, *args):
        db = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)
        try:
            db.row_factory = sqlite3.Row
            return [dict(r) for r in db.execute(sql, args)]
        finally:
            db.close()

    def moving(self):
        """Runs that move, and submitted items that are not yet admitted."""
        row = self.query("SELECT (SELECT COUNT(*) FROM item_stages WHERE status = 'pending' OR"
                         " status = 'in_progress' OR status = 'retry_later')"
                         " + (SELECT COUNT(*) FROM inbox) AS n")
        return row[0]["n"]

    def submit(self, keys):
        """What any program may do: all keys in one transaction of its own. False: not accepted."""
        db = sqlite3.connect(self.database, timeout=30, isolation_level=None)
        try:
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO submit (job, item_key) VALUES (?, ?)",
                           [(JOB, key) for key in keys])
            db.execute("COMMIT")
            return True
        except sqlite3.OperationalError as e:
            self.act("submit failed", error=str(e))
            return False
        finally:
            db.close()

    def alive(self):
        return procs.marked(f"STINT_TEST_MARK={self.mark}")

    # -- the end

    def come_to_rest(self, limit):
        """Faults are over: everything must reach its end in time, then the pool stop in order."""
        self.operator.end()
        if not self.is_up():
            self.start()
        try:
            wait_until(lambda: self.moving() == 0, "work at rest", limit)
        except AssertionError:
            self.violate("I5", f"{self.moving()} runs still move {limit:g} s after the faults")
            self.snapshot()
        if self.is_up():
            self.pool.signal(15)
        code = self.pool.wait()
        if code != 0:
            self.violate("I5", f"the last pool ended with {code}: {self.pool.log()[-500:]}")
        try:
            wait_until(lambda: not self.alive(), "nothing alive", 10)
        except AssertionError:
            self.snapshot()
            for pid in self.alive():
                self.violate("I7", f"alive after the stop: {procs.describe(pid)}")
        self.check_files()

    def check_files(self):
        for name in set(os.listdir("/dev/shm")) - self.shm:
            self.violate("I8", f"left in /dev/shm: {name}")
        for name in os.listdir(self.tmp):
            self.violate("I8", f"left in TMPDIR: {name}")
        if procs.pool_cgroup(self.dir):
            self.violate("I8", f"left: control group {procs.pool_cgroup(self.dir)}")
        for name in ("stint.sock", "stint.pid"):
            if os.path.exists(self.path(name)):
                self.violate("I8", f"left in the directory: {name}")

    def snapshot(self):
        with open(self.path("proc-snapshot.txt"), "a", encoding="utf-8") as f:
            for pid in self.alive():
                wchan = procs.read(pid, "wchan").decode(errors="replace")
                f.write(f"{procs.describe(pid)} wchan={wchan}\n")
            f.write("\n")

    def judge(self):
        found = checker.check(self.database, self.path("ledger"), self.handlers, JOB)
        for pool in self.pools:
            if "Sanitizer" in pool.log() or "runtime error:" in pool.log():
                found.append(checker.Violation("I8", f"sanitizer report in {pool.log_path}"))
        return self.violations + found

    def write_events(self):
        if not os.path.exists(self.database):
            return
        with open(self.path("events.jsonl"), "w", encoding="utf-8") as f:
            for row in self.query("SELECT * FROM events ORDER BY id"):
                f.write(json.dumps(row) + "\n")

    def end(self):
        """Nothing of ours survives, whatever happened."""
        self.operator.end()
        for pool in self.pools:
            pool.end()
        for pid in self.alive():
            procs.kill(pid)
        self.ledger.close()
        self.acts.close()


class Operator(threading.Thread):
    """Adds bites of items while less than `backlog` runs move, every third by plain SQL; told to
    end, it stays honest."""

    def __init__(self, world, backlog):
        super().__init__(daemon=True)
        self.world, self.backlog = world, backlog
        self.is_over, self.added = threading.Event(), 0
        self.env = {}

    def run(self):
        while not self.is_over.is_set():
            if self.added and self.world.moving() >= self.backlog:
                self.is_over.wait(0.02)
                continue
            self.add()

    def add(self):
        keys = [f"k{n}{KINDS.get(n % 20, '')}" for n in range(self.added, self.added + BITE)]
        self.added += BITE
        self.world.record(*[f"try {k}" for k in keys])
        if self.added % (3 * BITE) == 0:
            if self.world.submit(keys):
                self.world.record(*[f"ack {k}" for k in keys])
            return
        done = self.world.command("add", JOB, *keys)
        if done.returncode == 0:
            self.world.record(*[f"ack {k}" for k in keys])
        elif done.returncode > 0:
            self.world.violate("I1", f"add: exit {done.returncode}: {done.stderr[-300:]}")

    def end(self):
        self.is_over.set()
        if self.is_alive():
            self.join()
