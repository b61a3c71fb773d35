"""Adding a million items: `stint add --from` against bare INSERTs of the same rows."""
import json
import os
import sqlite3
import subprocess
import sys
import time

ITEMS, FLOOR_BITE, LOOKS = 1_000_000, 10_000, 20
ONE = "[job j]\nhandler = builtin noop\n"
THREE = "[job j]\nstages = a b c\n" + "".join(
    f"[stage j.{s}]\nhandler = builtin noop\n" for s in "abc")

# What the floor is measured on: the columns and indexes of the queue, without triggers, foreign
# keys and partial indexes that a new row is not in.
BARE = """
PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;
CREATE TABLE work_items (id INTEGER PRIMARY KEY, job_id INTEGER NOT NULL, item_key TEXT NOT NULL,
  data TEXT NOT NULL, priority INTEGER NOT NULL, source TEXT NOT NULL, parent_id INTEGER,
  depth INTEGER NOT NULL DEFAULT 0, queued_at INTEGER NOT NULL, created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, UNIQUE (job_id, item_key)) STRICT;
CREATE TABLE item_stages (id INTEGER PRIMARY KEY, item_id INTEGER NOT NULL,
  stage_id INTEGER NOT NULL, status TEXT NOT NULL, rank INTEGER NOT NULL, claim INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0, interruptions INTEGER NOT NULL DEFAULT 0,
  updated_at INTEGER NOT NULL, UNIQUE (item_id, stage_id)) STRICT;
CREATE INDEX claimable ON item_stages (stage_id, rank, id) WHERE status = 'pending';
CREATE INDEX claimed ON item_stages (claim) WHERE status = 'in_progress';
"""


def key(n):
    return f"https://example.com/articles/{n}"


def data(n):
    return f'{{"n":{n},"size":"small","days":{n % 30}}}'


def cpu(usage):
    return usage.ru_utime + usage.ru_stime


def floor(path):
    """(items/s, CPU seconds) of the bare tables; by Python's executemany, which costs ~1 µs a row."""
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript(BARE)
    now = int(time.time() * 1000)
    before, busy = time.monotonic(), time.process_time()
    for start in range(1, ITEMS + 1, FLOOR_BITE):
        bite = range(start, start + FLOOR_BITE)
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO work_items (id, job_id, item_key, data, priority, source,"
                       " queued_at, created_at, updated_at) VALUES (?, 1, ?, ?, 0, 'manual', ?,"
                       " ?, ?)", ((n, key(n), data(n), now, now, now) for n in bite))
        db.executemany("INSERT INTO item_stages (item_id, stage_id, status, rank, updated_at)"
                       " VALUES (?, 1, 'pending', ?, ?)", ((n, now, now) for n in bite))
        db.execute("COMMIT")
    took, busy = time.monotonic() - before, time.process_time() - busy
    db.close()
    os.unlink(path)
    return ITEMS / took, busy


def add(bed, name):
    """(items/s, CPU seconds, peak MiB, WAL MiB) of one command."""
    before = time.monotonic()
    adding = subprocess.Popen([f"{bed.build}/stint", "add", "-q", "j", "--from", name], cwd=bed.dir,
                              env=bed.environment())
    _, status, usage = os.wait4(adding.pid, 0)
    adding.returncode = os.waitstatus_to_exitcode(status)
    if adding.returncode:
        raise RuntimeError(f"stint add: exit {adding.returncode}")
    wal = os.stat(bed.database + "-wal").st_size
    return (ITEMS / (time.monotonic() - before), cpu(usage), usage.ru_maxrss / 1024, wal / 2**20)


def row(what, rate, busy, floor_rate, peak=None, wal=None):
    return {"what": what, "items/s": f"{rate:,.0f}", "of the floor": f"{rate / floor_rate:.2f}",
            "CPU µs/item": f"{1e6 * busy / ITEMS:.1f}",
            "peak MiB": "" if peak is None else f"{peak:.0f}",
            "WAL MiB": "" if wal is None else f"{wal:.0f}"}


def status(bed):
    took = []
    for _ in range(LOOKS):
        before = time.monotonic()
        bed.stint("status")
        took.append(time.monotonic() - before)
    took.sort()
    return {"what": f"status afterwards: {1000 * took[LOOKS // 2]:.1f} ms, "
                    f"slowest {1000 * took[-1]:.1f}", "items/s": "", "of the floor": "",
            "CPU µs/item": "", "peak MiB": "", "WAL MiB": ""}


def floor_elsewhere(bed):
    """In a process of its own: what this one has held at its peak would count for its children."""
    path = os.path.join(bed.dir, "floor.db")
    done = subprocess.run([sys.executable, os.path.abspath(__file__), path], check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout)


def bulk(bed):
    """Each in a fresh database, but the one that finds all of it there."""
    path = os.path.join(bed.dir, "items.jsonl")
    rows, (floor_rate, busy) = [], floor_elsewhere(bed)
    rows.append(row("bare INSERTs, one stage", floor_rate, busy, floor_rate))
    for jobs, names in ((ONE, ("stint add --from", "the same again")),
                        (THREE, ("stint add --from, three stages",))):
        bed.fresh()
        bed.config(jobs, workers=1)
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(f'{{"key": "{key(n)}", "data": {data(n)}}}\n' for n in range(ITEMS))
        for name in names:
            rate, busy, peak, wal = add(bed, path)
            rows.append(row(name, rate, busy, floor_rate, peak, wal))
        rows.append(status(bed))
    return rows


if __name__ == "__main__":
    print(json.dumps(floor(sys.argv[1])))
