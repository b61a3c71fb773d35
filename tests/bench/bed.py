"""A place to measure in: one directory, one configuration, commands and pools of a given build."""
import os
import sqlite3
import subprocess
import time

from pool import Pool


class Bed:
    def __init__(self, directory, build):
        self.dir, self.build = directory, build
        self.handler = f"{build}/tests/lib/test-handler"
        self.ledger = os.path.join(directory, "ledger")
        self.database = os.path.join(directory, "stint.db")
        self.pools, self.number = [], 0

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for pool in self.pools:
            pool.end()

    def fresh(self):
        """No items, no history: as after the first start."""
        for name in os.listdir(self.dir):
            os.unlink(os.path.join(self.dir, name))

    def config(self, jobs, **pool):
        fd = os.open(os.path.join(self.dir, "stint.conf"),
                     os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as f:
            f.write("[pool]\n" + "".join(f"{k} = {v}\n" for k, v in pool.items()) + jobs)

    def environment(self):
        return {k: v for k, v in os.environ.items() if not k.startswith("STINT_")}

    def stint(self, *args):
        done = subprocess.run([f"{self.build}/stint", *args], cwd=self.dir, timeout=600,
                              env=self.environment(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"stint {' '.join(args)}: exit {done.returncode}: {done.stderr}")
        return done.stdout

    def quick(self, *args):
        """As stint(), but with as little of Python's own as can be: returns (started, returned).

        subprocess.run spends about as long on pipes and threads as the command itself."""
        program, before = f"{self.build}/stint", time.monotonic()
        pid = os.posix_spawn(program, [program, "-c", f"{self.dir}/stint.conf", "-q", *args],
                             self.environment())
        _, status = os.waitpid(pid, 0)
        if status != 0:
            raise RuntimeError(f"stint {' '.join(args)}: wait status {status}")
        return before, time.monotonic()

    def pool(self, *args):
        self.number += 1
        pool = Pool(self.dir, [f"{self.build}/stint", "run", *args], self.environment())
        self.pools.append(pool)
        pool.wait_ready()
        return pool

    def reader(self):
        db = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30,
                             isolation_level=None)
        db.row_factory = sqlite3.Row
        return db
