"""The judge of the torture: knows only the ledger of acknowledged keys, the handlers' append-only
file and the database, and says which invariants (RELIABILITY: I1 to I6, I10, I14) do not hold.

Ledger: a line "try KEY" before each add, "ack KEY" after the add's exit 0, each fsynced. Handler
file: lib/ledger.py; the test handler's exit status is in its end lines. What a run's end must be
follows from what its handler said: 0 done, 99 skipped, 65 failed, else another attempt.
"""
import collections
import json
import sqlite3

import ledger

Violation = collections.namedtuple("Violation", "invariant text")
STATUSES = ("blocked", "pending", "in_progress", "retry_later", "held", "done", "skipped",
            "failed", "exhausted", "cancelled")
ENDED = ("done", "skipped", "failed", "exhausted", "cancelled")
SAID = {0: "done", 99: "skipped", 65: "failed"}


class Evidence:
    """All three sources, read once."""

    def __init__(self, database, ledger_path, handlers_path, job):
        self.job = job
        self.tried, self.acked = read_ledger(ledger_path)
        self.lines = ledger.read(handlers_path)
        self.db = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
        self.db.row_factory = sqlite3.Row
        self.db.execute("BEGIN")
        self.items = [r["item_key"] for r in self.rows(
            "SELECT item_key FROM work_items i JOIN jobs j ON j.id = i.job_id WHERE j.name = ?",
            job)]
        self.runs = self.rows(
            "SELECT i.item_key AS item, s.name AS stage, r.*, s.position AS position"
            " FROM item_stages r JOIN work_items i ON i.id = r.item_id"
            " JOIN stages s ON s.id = r.stage_id JOIN jobs j ON j.id = i.job_id"
            " WHERE j.name = ? ORDER BY i.id, s.position", job)
        self.results = collections.defaultdict(list)
        for row in self.rows("SELECT * FROM results WHERE NOT superseded"):
            self.results[row["item_id"], row["stage_id"]].append(row)
        self.events = collections.defaultdict(list)
        for row in self.rows("SELECT * FROM events WHERE item_id IS NOT NULL ORDER BY id"):
            row["data"] = json.loads(row["data"] or "{}")
            self.events[row["item_id"], row["stage_id"]].append(row)
        self.begun = collections.defaultdict(list)
        self.ended = collections.defaultdict(dict)
        for line in self.lines:
            if line.what == "begin":
                self.begun[line.item, line.stage].append(line.claim)
            elif line.what == "end":
                self.ended[line.item, line.stage][line.claim] = line.status

    def rows(self, sql, *args):
        return [dict(row) for row in self.db.execute(sql, args)]

    def claims_of(self, run, *events):
        """Claims named by these events of the run, as numbers, with repeats."""
        return [ledger.claim_number(e["data"]["claim"])
                for e in self.events[run["item_id"], run["stage_id"]]
                if e["event"] in events and e["data"].get("claim")]

    def close(self):
        self.db.close()


def read_ledger(path):
    tried, acked = set(), set()
    with open(path, encoding="utf-8") as f:
        for line in f.read().split("\n")[:-1]:
            word, _, key = line.partition(" ")
            (acked if word == "ack" else tried).add(key)
    return tried, acked


def name(run):
    return f"{run['item']} {run['stage']} ({run['status']})"


def check_i1(ev):
    for key in sorted(ev.acked - set(ev.items)):
        yield f"acknowledged key {key} is not in the database"


def check_i2(ev):
    for key in sorted(set(ev.items) - ev.tried):
        yield f"item {key} was never added"
    known = {(r["item"], r["stage"]) for r in ev.runs}
    for item, stage in sorted(set(ev.begun) - known):
        yield f"a handler ran for {item} {stage}, which is unknown"
    for run in ev.runs:
        begun = ev.begun[run["item"], run["stage"]]
        if run["status"] in ENDED and run["claim"] is not None and run["claim"] in begun:
            later = begun[begun.index(run["claim"]) + 1:]
            if later:
                yield f"{name(run)} ended by claim {run['claim']}, then lived again: {later}"


def check_i3(ev):
    for run in ev.runs:
        yield from check_completion(ev, run)
    counted = collections.Counter(x.claim for x in ev.lines if x.what == "begin")
    for claim, times in counted.items():
        if times > 1:
            yield f"claim {claim} ran {times} times"


def check_completion(ev, run):
    results = ev.results[run["item_id"], run["stage_id"]]
    if run["status"] == "done":
        if len(results) != 1:
            yield f"{name(run)} has {len(results)} accepted results"
        elif results[0]["claim"] != run["claim"]:
            yield f"{name(run)}: result of {results[0]['claim']}, ended by {run['claim']}"
    elif results:
        yield f"{name(run)} has a result"
    if run["status"] not in ("done", "failed", "skipped"):
        return
    key = run["item"], run["stage"]
    said = ev.ended[key].get(run["claim"])
    if said is None:
        yield f"{name(run)}: the handler of its claim {run['claim']} never came to its end"
    elif SAID.get(said) != run["status"]:
        yield f"{name(run)}: its handler said exit {said}"
    if ev.begun[key] and ev.begun[key][-1] != run["claim"]:
        yield f"{name(run)}: accepted {run['claim']}, newest claim {ev.begun[key][-1]}"
    if run["claim"] in ev.claims_of(run, "attempt.interrupted", "attempt.given_back"):
        yield f"{name(run)}: accepted claim {run['claim']} had been taken back"


def since_retried(ev, run):
    """Events of the run since an operator last sent it again: its attempts are counted anew."""
    events = ev.events[run["item_id"], run["stage_id"]]
    retried = [i for i, e in enumerate(events) if e["event"] == "run.retried"]
    return events[retried[-1] + 1:] if retried else events


def count_kept(ev, run):
    """Attempts that its events, and its own end, say were kept."""
    kept = [e for e in since_retried(ev, run) if e["event"] == "attempt.failed" or
            (e["event"] == "run.cancelled" and e["data"].get("claim"))]
    return len(kept) + (run["status"] in ("done", "skipped") and run["claim"] is not None)


def check_i4(ev):
    for run in ev.runs:
        interrupted = ev.claims_of(run, "attempt.interrupted")
        failed = ev.claims_of(run, "attempt.failed")
        if run["interruptions"] != len(interrupted):
            yield f"{name(run)}: {run['interruptions']} interruptions, {len(interrupted)} events"
        kept = count_kept(ev, run)
        if run["status"] != "in_progress" and run["attempts"] != kept:
            yield f"{name(run)}: {run['attempts']} attempts, {kept} by events"
        ends = interrupted + failed + ev.claims_of(run, "attempt.given_back", "run.cancelled")
        for claim, times in collections.Counter(ends).items():
            if times > 1:
                yield f"{name(run)}: claim {claim} ended {times} times"
        if run["status"] in ENDED + ("blocked",):
            known = set(ends) | {run["claim"]}
            for claim in set(ev.begun[run["item"], run["stage"]]) - known:
                yield f"{name(run)}: no event tells of the end of claim {claim}"
    yield from check_counts(ev)


def check_counts(ev):
    real = collections.Counter()
    for row in ev.rows("SELECT stage_id, status, COUNT(*) AS n FROM item_stages"
                       " GROUP BY stage_id, status"):
        real[row["stage_id"], row["status"]] = row["n"]
    for row in ev.rows("SELECT * FROM stage_counts"):
        for status in STATUSES:
            if row[status] != real[row["stage_id"], status]:
                yield (f"stage_counts of stage {row['stage_id']}: {row[status]} {status}, "
                       f"recounted {real[row['stage_id'], status]}")


def check_i5(ev):
    is_stuck = {}
    for run in ev.runs:
        before = is_stuck.get(run["item"], False)
        if run["status"] == "blocked" and not before:
            yield f"{name(run)} is blocked by nothing that failed"
        elif run["status"] not in ENDED + ("blocked",):
            yield f"{name(run)} has reached no end"
        elif run["status"] != "blocked" and before:
            yield f"{name(run)} ended though a stage before it failed"
        is_stuck[run["item"]] = before or run["status"] in ("failed", "exhausted", "cancelled")


def check_i6(ev):
    for row in ev.rows("PRAGMA integrity_check"):
        if row["integrity_check"] != "ok":
            yield row["integrity_check"]
    for row in ev.rows("PRAGMA foreign_key_check"):
        yield f"foreign key: {row}"
    for run in ev.runs:
        if run["status"] in ("pending", "blocked") and run["claim"] is not None:
            yield f"{name(run)} bears the claim {run['claim']}"
        if run["status"] == "in_progress" and run["claim"] is None:
            yield f"{name(run)} bears no claim"
        if (run["status"] == "retry_later") != (run["next_attempt_at"] is not None):
            yield f"{name(run)}: next_attempt_at {run['next_attempt_at']}"
    stages = len({r["stage"] for r in ev.runs})
    for item, n in collections.Counter(r["item"] for r in ev.runs).items():
        if n != stages:
            yield f"{item} has {n} stage runs of {stages}"
    for item in set(ev.items) - {r["item"] for r in ev.runs}:
        yield f"{item} has no stage runs"


def check_i10(ev):
    """No process of an older handler of the run, or of a stage before it, once the newer begins."""
    position = {r["stage"]: r["position"] for r in ev.runs}
    newest, furthest, told = {}, {}, set()
    for line in ev.lines:
        key, at = (line.item, line.stage), position.get(line.stage, 0)
        if line.what == "begin":
            newest[key] = line.claim
            furthest[line.item] = max(at, furthest.get(line.item, 0))
            continue
        if (line.claim, line.pid) in told:
            continue
        if newest.get(key) != line.claim:
            told.add((line.claim, line.pid))
            yield (f"{line.item} {line.stage}: a process of claim {line.claim} lived "
                   f"after that of {newest.get(key)} had begun")
        elif at < furthest[line.item]:
            told.add((line.claim, line.pid))
            yield (f"{line.item} {line.stage}: a process of claim {line.claim} lived "
                   "after the next stage had begun")


def check_i14(ev):
    for run in ev.runs:
        if run["status"] == "in_progress":
            yield f"{name(run)} bears claim {run['claim']}, but no pool is alive"


CHECKS = {"I1": check_i1, "I2": check_i2, "I3": check_i3, "I4": check_i4, "I5": check_i5,
          "I6": check_i6, "I10": check_i10, "I14": check_i14}


def check(database, ledger_path, handlers_path, job="t"):
    """All violations, after the faults have stopped, the work is at rest and the pool is gone."""
    ev = Evidence(database, ledger_path, handlers_path, job)
    try:
        return [Violation(invariant, text) for invariant, f in CHECKS.items() for text in f(ev)]
    finally:
        ev.close()
