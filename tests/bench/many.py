"""A large pool of resident Python handlers: how soon it is up, what it costs when idle, what stays."""
import os
import time

import procs
from serving import BATCH, counts, script
from waiting import wait_until

WORKERS, IDLE_SECONDS = 200, 30


def handlers(pool):
    return [p for p in procs.descendants(pool.supervisor) if procs.comm(p) == "resident.py"]


def busy_s(pids):
    """Processor time of these, by the scheduler's own count."""
    return sum(int((procs.read(p, "schedstat").split() or [0])[0]) for p in pids) / 1e9


def start(bed):
    """Seconds until every worker is there, and until each has a resident that said its hello."""
    program = script(bed, "resident.py", HOLD)
    bed.config(f"[job r]\nhandler = resident {program}\nresident_idle = 1h\n",
               durability="normal", workers=WORKERS)
    bed.stint("add", "r", *[f"k{n}" for n in range(WORKERS)])
    before = time.monotonic()
    pool = bed.pool()
    ready = time.monotonic() - before
    wait_until(lambda: said(bed) == WORKERS, lambda: f"{said(bed)} have said hello", 300)
    return pool, ready, time.monotonic() - before


# Keeps its one run until the file "go" is there, so that each worker gets one.
HOLD = BATCH.replace("for line in sys.stdin.buffer:\n", """open("hello", "a").write("x")
import select, os
for line in sys.stdin.buffer:
    while not os.path.exists("go"):
        select.select([], [], [], 0.2)
""")


def said(bed):
    try:
        return os.path.getsize(os.path.join(bed.dir, "hello"))
    except FileNotFoundError:
        return 0


def residents(bed):
    pool, ready, up = start(bed)
    hands = handlers(pool)
    open(os.path.join(bed.dir, "go"), "w", encoding="utf-8").close()
    wait_until(lambda: counts(bed) == WORKERS, "all done", 300)
    wait_until(lambda: {w["state"] for w in pool.workers()} == {"idle"}, "idle")
    who = [pool.supervisor, pool.keeper(), *pool.role_pids("stint-worker")]
    everybody = [*who, *hands]
    ours, all_of_it, since = busy_s(who), busy_s(everybody), time.monotonic()
    wait_until(lambda: time.monotonic() > since + IDLE_SECONDS, "idle time", IDLE_SECONDS + 60)
    took = time.monotonic() - since
    ours, all_of_it = busy_s(who) - ours, busy_s(everybody) - all_of_it
    before = time.monotonic()
    bed.stint("stop")
    pool.wait()
    stopped = time.monotonic() - before
    left = [p for p in everybody if procs.is_alive(p)] + procs.below(bed.dir)
    return [{"what": f"{WORKERS} workers are there", "value": f"{ready:.2f} s"},
            {"what": f"and {len(hands)} residents have said hello", "value": f"{up:.2f} s"},
            {"what": f"idle for {took:.0f} s: all of it", "value": f"{100 * all_of_it / took:.3f} %"},
            {"what": "of it stint's own processes", "value": f"{100 * ours / took:.3f} %"},
            {"what": "stint stop", "value": f"{stopped:.2f} s"},
            {"what": "processes left", "value": len(left)}]
