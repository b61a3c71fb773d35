"""What a resident costs: against a bare pipe, in batches, and many slow calls at once."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import procs
from rounds import in_turns
from waiting import wait_until

BATCH = '''#!/usr/bin/python3
import json, sys
out = sys.stdout.buffer
def say(lines):
    out.write("".join(lines).encode())
    out.flush()
say(['{"type":"hello","protocol":1}\\n'])
for line in sys.stdin.buffer:
    request = json.loads(line)
    items = request.get("items") or [request]
    say([json.dumps({"type": "done", "id": request["id"], "key": i["key"], "result": 1}) + "\\n"
         for i in items])
'''

SLOW = '''#!/usr/bin/python3
import asyncio, json, sys

async def call(request):
    await asyncio.sleep(1)
    sys.stdout.write(json.dumps({"type": "done", "id": request["id"], "result": 1}) + "\\n")
    sys.stdout.flush()

async def main():
    reader = asyncio.StreamReader(limit=1 << 21)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    sys.stdout.write('{"type":"hello","protocol":1}\\n')
    sys.stdout.flush()
    calls = set()
    while line := await reader.readline():
        task = asyncio.create_task(call(json.loads(line)))
        calls.add(task)
        task.add_done_callback(calls.discard)

asyncio.run(main())
'''


def add(bed, job, items):
    path = os.path.join(bed.dir, "items.jsonl")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(f'{{"key": "k{n}"}}\n' for n in range(items))
    bed.stint("add", job, "--from", path)


def script(bed, name, text):
    path = os.path.join(bed.dir, name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o700), "w",
              encoding="utf-8") as f:
        f.write(text)
    return path


def span(bed, job):
    """Seconds from the first start to the last end, by the database."""
    db = bed.reader()
    try:
        first, last = db.execute(
            "SELECT min(r.started_at), max(r.ended_at) FROM item_stages r JOIN work_items i"
            " ON i.id = r.item_id JOIN jobs j ON j.id = i.job_id WHERE j.name = ? AND"
            " r.status = 'done'", (job,)).fetchone()
        return (last - first) / 1000
    finally:
        db.close()


def rate(bed, job, lines, items, **pool):
    bed.config(f"[job {job}]\n{lines}", durability="normal", **pool)
    add(bed, job, items)
    bed.stint("run", "--drain")
    return items / span(bed, job)


def floor(bed, pairs, where):
    done = subprocess.run([f"{bed.build}/tests/lib/echo-resident", "floor", str(pairs), where],
                          capture_output=True, text=True, check=True)
    return float(done.stdout)


def served(bed, lines, workers):
    bed.fresh()
    return rate(bed, "e", f"handler = resident {bed.build}/tests/lib/echo-resident\n{lines}", 20000,
                workers=workers)


def echo(bed):
    rows = []
    for n in (1, 2, 8):
        found = in_turns({
            "bare round trips": lambda n=n: floor(bed, n, "free"),
            "bare, both ends on one processor": lambda n=n: floor(bed, n, "same"),
            "bare, one end on each processor": lambda n=n: floor(bed, n, "apart"),
            "stint": lambda n=n: served(bed, "", n),
            "stint, concurrency = 32": lambda n=n: served(bed, "concurrency = 32\n", n)})
        rows += [{"what": f"{n} × {name}", "per second": f"{each:.0f}",
                  "µs": f"{1e6 * n / each:.1f}",
                  "of the floor": f"{each / found['bare round trips']:.2f}",
                  "of it apart": f"{each / found['bare, one end on each processor']:.2f}"}
                 for name, each in found.items()]
    return rows


def batch(bed):
    program = script(bed, "batch.py", BATCH)
    rows = []
    for workers in (1, 2):
        found = rate(bed, f"b{workers}", f"handler = resident {program}\nbatch = 50\n", 20000,
                     workers=workers)
        rows.append({"what": f"Python, batch = 50, {workers} workers", "items/s": f"{found:.0f}"})
    return rows


def slow(bed):
    """1,000 calls of a second, 10 workers; the processes are warm."""
    program = script(bed, "slow.py", SLOW)
    bed.config(f"[job s]\nhandler = resident {program}\nconcurrency = 100\n", workers=10)
    pool = bed.pool()
    add(bed, "s", 1000)
    wait_until(lambda: counts(bed) == 1000, "first round done")
    who = [pool.supervisor, *procs.descendants(pool.supervisor)]
    ticks, before = sum(map(procs.cpu_ticks, who)), time.monotonic()
    add_more(bed)
    wait_until(lambda: counts(bed) == 2000, "second round done")
    took = time.monotonic() - before
    busy = (sum(map(procs.cpu_ticks, who)) - ticks) / os.sysconf("SC_CLK_TCK")
    return [{"what": "1,000 calls of 1 s", "took s": f"{took:.2f}", "CPU s": f"{busy:.2f}"}]


def add_more(bed):
    path = os.path.join(bed.dir, "more.jsonl")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(f'{{"key": "m{n}"}}\n' for n in range(1000))
    bed.stint("add", "s", "--from", path)


def counts(bed):
    db = bed.reader()
    try:
        return db.execute("SELECT sum(done) FROM stage_counts").fetchone()[0]
    finally:
        db.close()
