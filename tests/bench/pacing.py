"""The measurement of pacing: how near the rate comes to what was asked, and what a token costs."""
import os
import subprocess
import time

import procs
from waiting import wait_until

RATE, SECONDS, WARM, KILL_GAP = 200, 30, 2, 0.05


def pacing(bed):
    rows = []
    for burst in (1, 10, RATE):
        for has_kills in (False, True):
            bed.fresh()
            rows.append(one_pool(bed, burst, has_kills))
    for count in (1, 8):
        ns = subprocess.run([f"{bed.build}/tests/bench/bucket-take", str(count)], check=True,
                            capture_output=True, text=True).stdout.strip()
        rows.append({**dict.fromkeys(rows[0], "-"),
                     "what": f"one token, {count} process{'es' * (count > 1)}", "value": f"{ns} ns"})
    return rows


def one_pool(bed, burst, has_kills):
    bed.config(f"[resource api]\nrate = {RATE}/s\nburst = {burst}\n"
               "[job j]\nhandler = builtin noop\nresource = api\n", workers=8)
    path = os.path.join(bed.dir, "items.jsonl")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(f'{{"key": "k{n}"}}\n' for n in range(2 * RATE * SECONDS))
    bed.stint("add", "j", "--from", path)
    pool, db = bed.pool(), bed.reader()
    until(time.monotonic() + WARM)
    before, begun = claims(db), time.monotonic()
    kills = kill_until(pool, begun + SECONDS) if has_kills else until(begun + SECONDS)
    after, ended = claims(db), time.monotonic()
    pool.end()
    rate = (after - before) / (ended - begun)
    row = {"what": f"{RATE}/s, burst {burst}, {kills} workers killed", "value": f"{rate:.2f}/s",
           "error %": f"{100 * (rate / RATE - 1):+.3f}",
           "worst stretch": f"{excess(db, burst):+.2f}"}
    db.close()
    return row


def until(end):
    wait_until(lambda: time.monotonic() > end, "the time is over", SECONDS + 60)
    return 0


def claims(db):
    return db.execute("SELECT SUM(attempts + interruptions) FROM item_stages").fetchone()[0] or 0


def kill_until(pool, end):
    """SIGKILL of one worker after the other, 20 a second."""
    kills = 0
    while time.monotonic() < end:
        until(time.monotonic() + KILL_GAP)
        victims = pool.role_pids("stint-worker")
        if victims:
            procs.kill(victims[kills % len(victims)])
            kills += 1
    return kills


def excess(db, burst):
    """Claims above RATE × length + BURST in the worst stretch; above 0 would be a broken promise."""
    at = [row[0] for row in db.execute("SELECT started_at FROM item_stages WHERE started_at"
                                       " IS NOT NULL ORDER BY started_at")]
    # n claims from i to k: (k − i + 1) − RATE (t_k − t_i) − burst, the most over all i <= k.
    worst, best = -burst, None
    for k, ms in enumerate(at):
        here = k - RATE * ms / 1000
        best = here if best is None else min(best, here)
        worst = max(worst, here - best + 1 - burst)
    return worst
