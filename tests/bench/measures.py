"""The measurements: each takes a Bed and returns the rows of its table."""
import os
import statistics
import time

import ledger
import procs
from pacing import pacing
from bulk import bulk
from execing import execing
from many import residents
import serving
from output import output
from waiting import wait_until

KILLS, ADDS, IDLE_SECONDS = 200, 200, 10


def spread(name, seconds):
    """median, p90, p99, max in milliseconds of a list of seconds."""
    ordered = sorted(seconds)

    def at(share):
        return f"{1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]:.2f}"
    return {"what": name, "n": len(ordered), "median ms": f"{1000 * statistics.median(ordered):.2f}",
            "p90 ms": at(0.9), "p99 ms": at(0.99), "max ms": f"{1000 * ordered[-1]:.2f}"}


def requeue(bed):
    """SIGKILL of a worker → its row leaves in_progress, and its next handler begins."""
    pending, again = [], []
    while len(pending) < KILLS:
        bed.fresh()
        bed.config("[job j]\nstages = s\n[stage j.s]\n"
                   f"handler = exec {bed.handler} {bed.ledger} 600000\n", workers=8)
        bed.stint("add", "j", *[f"k{n}" for n in range(8)])
        pool, db = bed.pool(), bed.reader()
        wait_until(lambda: len(begun(bed)) == 8, "all run")
        # From the 4th interruption in a row a run waits on purpose: three kills an item.
        for n in range(min(24, KILLS - len(pending))):
            one_kill(bed, pool, db, f"k{n % 8}", pending, again)
        db.close()
        pool.end()
    return [spread("SIGKILL → pending in the database", pending),
            spread("SIGKILL → its next handler begins", again)]


def one_kill(bed, pool, db, key, pending, again):
    row = wait_until(lambda: db.execute(
        "SELECT r.id, r.claim, r.interruptions AS n FROM item_stages r JOIN work_items i ON"
        " i.id = r.item_id WHERE i.item_key = ? AND r.status = 'in_progress'",
        (key,)).fetchone(), key)
    victim = wait_until(lambda: next((w for w in pool.workers() if w["claim"] and
                                      ledger.claim_number(w["claim"]) == row["claim"]), None), key)
    runs = len([x for x in begun(bed) if x.item == key])
    before = time.monotonic()
    procs.kill(victim["pid"])
    while db.execute("SELECT interruptions FROM item_stages WHERE id = ?",
                     (row["id"],)).fetchone()[0] == row["n"]:
        pass
    pending.append(time.monotonic() - before)
    lines = wait_until(lambda: next(([x] for x in begun(bed)[::-1] if x.item == key and
                                     x.mono_ns / 1e9 > before), None), f"{key} runs again")
    again.append(lines[0].mono_ns / 1e9 - before)
    wait_until(lambda: len([x for x in begun(bed) if x.item == key]) == runs + 1, "one more run")


def begun(bed):
    return [x for x in ledger.read(bed.ledger) if x.what == "begin"]


def pickup(bed):
    """`stint add` and INSERT INTO submit on an idle pool → the handler's first instruction."""
    import sqlite3
    bed.config("[job j]\nstages = s\n[stage j.s]\n"
               f"handler = exec {bed.handler} {bed.ledger} 0\n", workers=4)
    bed.stint("add", "j", "warm")
    pool = bed.pool()
    wait_until(lambda: len(begun(bed)) == 1, "warm")
    took = {"stint add returned → handler": [], "stint add started → handler": [],
            "INSERT INTO submit committed → handler": []}
    db = sqlite3.connect(bed.database, timeout=30, isolation_level=None)
    for n in range(ADDS):
        key = f"a{n}"
        before, back = bed.quick("add", "j", key)
        at = started(bed, key)
        took["stint add started → handler"].append(at - before)
        took["stint add returned → handler"].append(max(0.0, at - back))
        idle(pool)
        key = f"s{n}"
        db.execute("INSERT INTO submit (job, item_key) VALUES ('j', ?)", (key,))
        before = time.monotonic()
        took["INSERT INTO submit committed → handler"].append(max(0.0, started(bed, key) - before))
        idle(pool)
    db.close()
    return [spread(name, seconds) for name, seconds in took.items()]


def started(bed, key):
    line = wait_until(lambda: next((x for x in begun(bed) if x.item == key), None), key)
    return line.mono_ns / 1e9


def idle(pool):
    wait_until(lambda: {w["state"] for w in pool.workers()} == {"idle"}, "idle")


def idle_cost(bed):
    """CPU of an idle pool of 32 workers, and what its processes weigh."""
    bed.config("[job j]\nhandler = builtin noop\n", workers=32)
    bed.stint("add", "j", *[f"k{n}" for n in range(64)])
    pool = bed.pool()
    wait_until(lambda: not bed_moves(bed), "all done")
    idle(pool)
    who = [pool.supervisor, pool.keeper(), *pool.role_pids("stint-worker")]
    ticks = os.sysconf("SC_CLK_TCK")
    before, started_at = sum(map(fine_cpu, who)), time.monotonic()
    coarse = sum(map(procs.cpu_ticks, who))
    end = started_at + IDLE_SECONDS
    wait_until(lambda: time.monotonic() > end, "idle time", IDLE_SECONDS + 60)
    took = time.monotonic() - started_at
    busy = (sum(map(fine_cpu, who)) - before) / 1e9
    coarse = (sum(map(procs.cpu_ticks, who)) - coarse) / ticks
    workers = pool.role_pids("stint-worker")
    return [{"what": f"CPU of {len(who)} idle processes (schedstat)",
             "value": f"{100 * busy / took:.3f} % of a core"},
            {"what": "the same by utime + stime", "value": f"{100 * coarse / took:.3f} % of a core"},
            weigh("worker, median", workers), weigh("keeper", [pool.keeper()]),
            weigh("supervisor", [pool.supervisor])]


def fine_cpu(pid):
    """Nanoseconds on a CPU; 0 where the kernel does not tell."""
    words = procs.read(pid, "schedstat").split()
    return int(words[0]) if words else 0


def bed_moves(bed):
    db = bed.reader()
    try:
        return db.execute("SELECT COUNT(*) FROM item_stages WHERE status = 'pending' OR status ="
                          " 'in_progress' OR status = 'retry_later'").fetchone()[0]
    finally:
        db.close()


def weigh(name, pids):
    found = [procs.memory_kib(p) for p in pids]
    pss = statistics.median(m["Pss"] for m in found)
    private = statistics.median(m["Private_Dirty"] + m["Private_Clean"] for m in found)
    return {"what": f"PSS (private) of {name}", "value": f"{pss / 1024:.2f} ({private / 1024:.2f}) "
                                                         "MiB"}


def alone(bed):
    """A pool of one worker: nothing to share the costs with."""
    bed.config("[job j]\nhandler = builtin noop\n", workers=1)
    bed.stint("add", "j", "k")
    pool = bed.pool()
    wait_until(lambda: not bed_moves(bed), "done")
    idle(pool)
    return [weigh("worker alone", pool.role_pids("stint-worker")), weigh("keeper", [pool.keeper()]),
            weigh("supervisor", [pool.supervisor])]


def pipeline(bed):
    """Whole pipelines from `stint run --drain` to its exit."""
    rows = []
    for name, handler, items in (("builtin noop", "builtin noop", 3000),
                                 ("exec test-handler, 0 ms", None, 600)):
        handler = handler or f"exec {bed.handler} {bed.ledger} 0"
        job = f"p{len(rows)}"
        bed.config(f"[job {job}]\nstages = a b c\n" + "".join(
            f"[stage {job}.{s}]\nhandler = {handler}\n" for s in "abc"), workers=8)
        path = os.path.join(bed.dir, "items.jsonl")
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(f'{{"key": "k{n}"}}\n' for n in range(items))
        before = time.monotonic()
        bed.stint("add", job, "--from", path)
        added = time.monotonic()
        bed.stint("run", "--drain")
        took = time.monotonic() - added
        rows.append({"what": name, "items": items, "add s": f"{added - before:.2f}",
                     "run s": f"{took:.2f}", "stage runs/s": f"{3 * items / took:.0f}"})
    return rows


ALL = {
    "exec": ("exec of a static no-op (judge: ≥ 0.85 of the loop, faster than xargs)", execing),
    "echo": ("Resident in C, durability normal (judge: ≥ 0.6 of the floor per worker)",
             serving.echo),
    "residents": ("200 workers with resident Python handlers (judge: up < 20 s, idle < 1 % of a core,"
                  " none left)", residents),
    "batch": ("Resident in Python, durability normal (judge: ≥ 5,000/s on 2 cores)", serving.batch),
    "slow": ("Slow calls, 10 workers, concurrency = 100 (judge: < 3 s, < 1 core)", serving.slow),
    "requeue": ("A worker is killed (judge: median ≤ 3 ms, p99 ≤ 20 ms)", requeue),
    "pickup": ("Work arrives at an idle pool (judge: p99 ≤ 5 ms)", pickup),
    "idle": ("An idle pool of 32 (judge: < 0.2 % of a core; worker < 2.5 MiB, supervisor < 2 MiB)",
             idle_cost),
    "alone": ("A pool of one worker", alone),
    "pacing": ("Pacing (judge: worst stretch <= 0; without kills error > -0.5 %)", pacing),
    "pipeline": ("Three stages, 8 workers, durability full", pipeline),
    "output": ("10 GB from a handler (judge: the worker grows by less than 16,384 KiB)", output),
    "bulk": ("1,000,000 items from JSON lines, durability full (judge: ≥ 50,000/s, < 64 MiB, status"
             " < 50 ms)", bulk),
}
