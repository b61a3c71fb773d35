-- The queue. Ids are integers; columns *_at are milliseconds since the epoch (UTC), *_ms durations.
--
-- jobs           a pipeline; enabled = 0: no longer in the configuration, its items stay (orphaned)
-- stages         a step of a job; enabled = 0: removed, its open runs are skipped
-- stage_edges    stage_id comes after after_stage_id
-- work_items     one unit of work; identity is (job_id, item_key)
-- item_stages    one stage run: one stage of one item. All rows of an item share its rank
-- results        what a done stage run made; superseded = 1: no longer valid, kept to look at
-- events         the one log; claim and n: of a cost, so that none is booked twice
-- job_state      a job that is, or was, paused
-- pauses         a paused stage (kind 'stage', name JOB.STAGE) or a resource that a handler found
--                limited; paused = 0: lifted for a trial, the row keeps the trial number until a
--                run succeeds
-- pools          a pool of workers and its block of life numbers; several rows when it took more.
--                config_generation counts its reloads, in its first row
-- settled_lives  lives of the present pool whose end is recorded, so that a repeat changes nothing
-- stage_counts   how many runs of a stage have each status; exact at every commit, by triggers
-- resource_levels the tokens in each bucket at a clean stop, until the next start takes them
-- inbox          what was submitted by SQL and waits to be admitted, or was refused with a reason
--
-- A writer of its own may INSERT INTO submit and read everything; it must not write to the tables
-- with OR REPLACE (SQLite then deletes rows without telling the triggers that count).

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    enabled INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE stages (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    handler_version TEXT,
    enabled INTEGER NOT NULL DEFAULT 1,
    UNIQUE (job_id, name)
) STRICT;

CREATE TABLE stage_edges (
    stage_id INTEGER NOT NULL REFERENCES stages (id),
    after_stage_id INTEGER NOT NULL REFERENCES stages (id),
    PRIMARY KEY (stage_id, after_stage_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX stage_edges_after ON stage_edges (after_stage_id, stage_id);

CREATE TABLE work_items (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    item_key TEXT NOT NULL,
    data TEXT NOT NULL DEFAULT '{}',
    priority INTEGER NOT NULL DEFAULT 0,
    source TEXT NOT NULL DEFAULT 'manual',
    parent_id INTEGER,
    depth INTEGER NOT NULL DEFAULT 0,
    queued_at INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (job_id, item_key)
) STRICT;

-- claim stays on the row when its attempt ends (so a worker knows its own commit again) and becomes
-- NULL by every change of somebody else. streak: interruptions in a row without a new checkpoint.
CREATE TABLE item_stages (
    id INTEGER PRIMARY KEY,
    item_id INTEGER NOT NULL REFERENCES work_items (id),
    stage_id INTEGER NOT NULL REFERENCES stages (id),
    status TEXT NOT NULL,
    rank INTEGER NOT NULL,
    claim INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    interruptions INTEGER NOT NULL DEFAULT 0,
    streak INTEGER NOT NULL DEFAULT 0,
    snoozes INTEGER NOT NULL DEFAULT 0,
    suspect INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER,
    started_at INTEGER,
    ended_at INTEGER,
    elapsed_ms INTEGER,
    updated_at INTEGER NOT NULL,
    pace_key TEXT,
    error TEXT,
    progress TEXT,
    checkpoint TEXT,
    UNIQUE (item_id, stage_id)
) STRICT;
CREATE INDEX item_stages_claimable ON item_stages (stage_id, rank, id) WHERE status = 'pending';
CREATE INDEX item_stages_due ON item_stages (next_attempt_at) WHERE status = 'retry_later';
CREATE INDEX item_stages_claimed ON item_stages (claim) WHERE status = 'in_progress';
CREATE INDEX item_stages_failed ON item_stages (stage_id, id) WHERE status = 'failed';
CREATE INDEX item_stages_exhausted ON item_stages (stage_id, id) WHERE status = 'exhausted';
CREATE INDEX item_stages_held ON item_stages (stage_id, id) WHERE status = 'held';
CREATE INDEX item_stages_cancelled ON item_stages (stage_id, id) WHERE status = 'cancelled';

CREATE TABLE results (
    item_id INTEGER NOT NULL REFERENCES work_items (id),
    stage_id INTEGER NOT NULL REFERENCES stages (id),
    claim INTEGER,
    superseded INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    handler_version TEXT,
    input_hash TEXT,
    output_hash TEXT,
    data TEXT NOT NULL,
    PRIMARY KEY (item_id, stage_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    ts INTEGER NOT NULL,
    event TEXT NOT NULL,
    job_id INTEGER,
    stage_id INTEGER,
    item_id INTEGER,
    claim INTEGER,
    n INTEGER,
    data TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX events_event ON events (event, ts);
CREATE UNIQUE INDEX events_cost ON events (claim, n) WHERE event = 'cost';
CREATE INDEX events_item ON events (item_id) WHERE item_id IS NOT NULL;

CREATE TABLE job_state (
    job_id INTEGER PRIMARY KEY REFERENCES jobs (id),
    paused INTEGER NOT NULL DEFAULT 0,
    pause_reason TEXT,
    retry_after INTEGER,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX job_state_paused ON job_state (retry_after, job_id) WHERE paused = 1;

CREATE TABLE pauses (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL DEFAULT '',
    stage_id INTEGER REFERENCES stages (id),
    paused INTEGER NOT NULL DEFAULT 1,
    reason TEXT NOT NULL,
    retry_after INTEGER,
    trial INTEGER NOT NULL DEFAULT 1,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (kind, name, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX pauses_paused ON pauses (retry_after, kind, stage_id) WHERE paused = 1;

CREATE TABLE pools (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    first_life INTEGER NOT NULL,
    last_life INTEGER NOT NULL UNIQUE,
    started_at INTEGER NOT NULL,
    retired_at INTEGER,
    config_generation INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX pools_living ON pools (host, pid) WHERE retired_at IS NULL;

CREATE TABLE settled_lives (
    life INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE stage_counts (
    stage_id INTEGER PRIMARY KEY REFERENCES stages (id),
    blocked INTEGER NOT NULL DEFAULT 0,
    pending INTEGER NOT NULL DEFAULT 0,
    in_progress INTEGER NOT NULL DEFAULT 0,
    retry_later INTEGER NOT NULL DEFAULT 0,
    held INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    exhausted INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE resource_levels (
    name TEXT PRIMARY KEY,
    tokens_millionths INTEGER NOT NULL,
    saved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    item_key TEXT NOT NULL,
    data TEXT,
    priority INTEGER,
    created_at INTEGER NOT NULL,
    refused_at INTEGER,
    refused_why TEXT
) STRICT;
CREATE INDEX inbox_waiting ON inbox (id) WHERE refused_at IS NULL;

-- The statuses and what each may become: the same table as common/store/ending.c. A chain of OR,
-- because IN (...) builds a table at each look; FAIL, because it needs no statement journal.
CREATE TRIGGER item_stages_status_guard BEFORE UPDATE OF status ON item_stages
WHEN NOT (
    (OLD.status = 'pending' AND (
        (NEW.status = 'in_progress' AND NEW.claim IS NOT NULL) OR NEW.status = 'blocked'
        OR NEW.status = 'skipped' OR NEW.status = 'cancelled' OR NEW.status = 'held'))
    OR (OLD.status = 'in_progress' AND (
        NEW.status = 'done' OR NEW.status = 'skipped' OR NEW.status = 'retry_later'
        OR NEW.status = 'failed' OR NEW.status = 'exhausted' OR NEW.status = 'blocked'
        OR NEW.status = 'pending' OR NEW.status = 'held' OR NEW.status = 'cancelled'))
    OR (OLD.status = 'blocked' AND (
        NEW.status = 'pending' OR NEW.status = 'failed' OR NEW.status = 'skipped'
        OR NEW.status = 'cancelled' OR NEW.status = 'held'))
    OR (OLD.status = 'retry_later' AND (
        (NEW.status = 'in_progress' AND NEW.claim IS NOT NULL) OR NEW.status = 'pending'
        OR NEW.status = 'blocked' OR NEW.status = 'skipped' OR NEW.status = 'cancelled'
        OR NEW.status = 'held'))
    OR (OLD.status = 'held' AND (
        NEW.status = 'pending' OR NEW.status = 'blocked' OR NEW.status = 'retry_later'
        OR NEW.status = 'skipped' OR NEW.status = 'cancelled'))
    OR ((OLD.status = 'done' OR OLD.status = 'skipped' OR OLD.status = 'cancelled') AND (
        NEW.status = 'pending' OR NEW.status = 'blocked'))
    OR ((OLD.status = 'failed' OR OLD.status = 'exhausted') AND (
        NEW.status = 'pending' OR NEW.status = 'blocked' OR NEW.status = 'skipped'
        OR NEW.status = 'cancelled')))
BEGIN
    SELECT RAISE(FAIL, 'a stage run cannot go from its status to that one (or lacks a claim)');
END;

CREATE TRIGGER item_stages_claim_guard BEFORE UPDATE OF claim ON item_stages
WHEN NEW.claim IS NULL AND NEW.status = 'in_progress'
BEGIN
    SELECT RAISE(FAIL, 'a stage run in_progress must have a claim');
END;

CREATE TRIGGER item_stages_insert_guard BEFORE INSERT ON item_stages
WHEN NOT (
    NEW.status = 'pending' OR NEW.status = 'blocked' OR NEW.status = 'retry_later'
    OR NEW.status = 'held' OR NEW.status = 'done' OR NEW.status = 'skipped'
    OR NEW.status = 'failed' OR NEW.status = 'exhausted' OR NEW.status = 'cancelled'
    OR (NEW.status = 'in_progress' AND NEW.claim IS NOT NULL))
BEGIN
    SELECT RAISE(FAIL, 'a stage run has an unknown status, or is in_progress without a claim');
END;

CREATE TRIGGER stages_count AFTER INSERT ON stages
BEGIN
    INSERT INTO stage_counts (stage_id) VALUES (NEW.id);
END;

CREATE TRIGGER item_stages_count_insert AFTER INSERT ON item_stages
BEGIN
    UPDATE stage_counts SET
        blocked = blocked + (NEW.status = 'blocked'),
        pending = pending + (NEW.status = 'pending'),
        in_progress = in_progress + (NEW.status = 'in_progress'),
        retry_later = retry_later + (NEW.status = 'retry_later'),
        held = held + (NEW.status = 'held'),
        done = done + (NEW.status = 'done'),
        skipped = skipped + (NEW.status = 'skipped'),
        failed = failed + (NEW.status = 'failed'),
        exhausted = exhausted + (NEW.status = 'exhausted'),
        cancelled = cancelled + (NEW.status = 'cancelled')
    WHERE stage_id = NEW.stage_id;
END;

CREATE TRIGGER item_stages_count_update AFTER UPDATE OF status ON item_stages
WHEN OLD.status <> NEW.status AND OLD.stage_id = NEW.stage_id
BEGIN
    UPDATE stage_counts SET
        blocked = blocked + (NEW.status = 'blocked') - (OLD.status = 'blocked'),
        pending = pending + (NEW.status = 'pending') - (OLD.status = 'pending'),
        in_progress = in_progress + (NEW.status = 'in_progress') - (OLD.status = 'in_progress'),
        retry_later = retry_later + (NEW.status = 'retry_later') - (OLD.status = 'retry_later'),
        held = held + (NEW.status = 'held') - (OLD.status = 'held'),
        done = done + (NEW.status = 'done') - (OLD.status = 'done'),
        skipped = skipped + (NEW.status = 'skipped') - (OLD.status = 'skipped'),
        failed = failed + (NEW.status = 'failed') - (OLD.status = 'failed'),
        exhausted = exhausted + (NEW.status = 'exhausted') - (OLD.status = 'exhausted'),
        cancelled = cancelled + (NEW.status = 'cancelled') - (OLD.status = 'cancelled')
    WHERE stage_id = NEW.stage_id;
END;

CREATE TRIGGER item_stages_move_guard BEFORE UPDATE OF stage_id, item_id ON item_stages
WHEN OLD.stage_id <> NEW.stage_id OR OLD.item_id <> NEW.item_id
BEGIN
    SELECT RAISE(FAIL, 'a stage run belongs to its item and stage for ever');
END;

CREATE TRIGGER item_stages_count_delete AFTER DELETE ON item_stages
BEGIN
    UPDATE stage_counts SET
        blocked = blocked - (OLD.status = 'blocked'),
        pending = pending - (OLD.status = 'pending'),
        in_progress = in_progress - (OLD.status = 'in_progress'),
        retry_later = retry_later - (OLD.status = 'retry_later'),
        held = held - (OLD.status = 'held'),
        done = done - (OLD.status = 'done'),
        skipped = skipped - (OLD.status = 'skipped'),
        failed = failed - (OLD.status = 'failed'),
        exhausted = exhausted - (OLD.status = 'exhausted'),
        cancelled = cancelled - (OLD.status = 'cancelled')
    WHERE stage_id = OLD.stage_id;
END;

-- One row an item, with its status as people speak of it; never stored.
CREATE VIEW item_derived_status AS
SELECT w.id AS item_id, w.job_id AS job_id,
    (SELECT CASE
        WHEN max(s.status = 'failed' OR s.status = 'exhausted') = 1 THEN 'failed'
        WHEN max(s.status = 'cancelled') = 1 THEN 'cancelled'
        WHEN min(s.status = 'done' OR s.status = 'skipped') = 1 THEN 'done'
        WHEN max(s.status = 'in_progress') = 1 THEN 'in_progress'
        ELSE 'pending' END
     FROM item_stages s WHERE s.item_id = w.id) AS derived_status
FROM work_items w;

-- Items with names and ISO times.
CREATE VIEW v_items AS
SELECT w.id AS item_id, j.name AS job, w.item_key AS item_key, d.derived_status AS status,
    w.data AS data, w.priority AS priority, w.source AS source, w.depth AS depth,
    strftime('%Y-%m-%dT%H:%M:%fZ', w.created_at / 1000.0, 'unixepoch') AS created_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', w.updated_at / 1000.0, 'unixepoch') AS updated_at
FROM work_items w
JOIN jobs j ON j.id = w.job_id
JOIN item_derived_status d ON d.item_id = w.id;

-- Stage runs with names and ISO times; claim as LIFE-SEQ.
CREATE VIEW v_stages AS
SELECT s.id AS id, s.item_id AS item_id, j.name AS job, w.item_key AS item_key, g.name AS stage,
    s.status AS status, s.attempts AS attempts, s.interruptions AS interruptions,
    s.snoozes AS snoozes, (s.claim >> 24) || '-' || (s.claim & 16777215) AS claim,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.next_attempt_at / 1000.0, 'unixepoch') AS next_attempt_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.started_at / 1000.0, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.ended_at / 1000.0, 'unixepoch') AS ended_at,
    s.elapsed_ms AS elapsed_ms, s.error AS error
FROM item_stages s
JOIN work_items w ON w.id = s.item_id
JOIN stages g ON g.id = s.stage_id
JOIN jobs j ON j.id = g.job_id;

-- What still moves, in the order of its lane.
CREATE VIEW v_queue AS
SELECT j.name AS job, g.name AS stage, w.item_key AS item_key, s.status AS status,
    s.rank AS rank, s.attempts AS attempts,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.next_attempt_at / 1000.0, 'unixepoch') AS next_attempt_at
FROM item_stages s
JOIN work_items w ON w.id = s.item_id
JOIN stages g ON g.id = s.stage_id
JOIN jobs j ON j.id = g.job_id
WHERE s.status = 'pending' OR s.status = 'in_progress' OR s.status = 'retry_later'
ORDER BY j.name, g.position, s.rank, s.id;

-- Money and tokens that attempts have spent, as their handlers said.
CREATE VIEW v_costs AS
SELECT strftime('%Y-%m-%dT%H:%M:%fZ', e.ts / 1000.0, 'unixepoch') AS at, j.name AS job,
    g.name AS stage, w.item_key AS item_key, (e.claim >> 24) || '-' || (e.claim & 16777215) AS claim,
    e.n AS n, json_extract(e.data, '$.cost_usd') AS cost_usd,
    json_extract(e.data, '$.tokens') AS tokens, json_extract(e.data, '$.of') AS of
FROM events e
LEFT JOIN jobs j ON j.id = e.job_id
LEFT JOIN stages g ON g.id = e.stage_id
LEFT JOIN work_items w ON w.id = e.item_id
WHERE e.event = 'cost';

-- Tries used up: they wait for an operator.
CREATE VIEW v_dead_letters AS
SELECT j.name AS job, g.name AS stage, w.item_key AS item_key, s.attempts AS attempts,
    s.error AS error,
    strftime('%Y-%m-%dT%H:%M:%fZ', s.ended_at / 1000.0, 'unixepoch') AS ended_at
FROM item_stages s
JOIN work_items w ON w.id = s.item_id
JOIN stages g ON g.id = s.stage_id
JOIN jobs j ON j.id = g.job_id
WHERE s.status = 'exhausted';

-- The door for programs in any language: INSERT INTO submit (job, item_key, data, priority). data
-- and priority may be left out. Shows what waits to be admitted. (A connection that has switched
-- trusted_schema OFF cannot use it: SQLite before 3.41 calls json_valid unsafe there.)
CREATE VIEW submit AS
SELECT j.name AS job, i.item_key AS item_key, i.data AS data, i.priority AS priority
FROM inbox i
JOIN jobs j ON j.id = i.job_id
WHERE i.refused_at IS NULL;

CREATE TRIGGER submit_insert INSTEAD OF INSERT ON submit
BEGIN
    SELECT RAISE(ABORT, 'submit: no such job; see: SELECT name FROM jobs WHERE enabled')
    WHERE NOT EXISTS (SELECT 1 FROM jobs
        WHERE name = NEW.job AND enabled = 1 AND substr(name, 1, 1) <> '@');
    SELECT RAISE(ABORT, 'submit: item_key is missing')
    WHERE NEW.item_key IS NULL OR typeof(NEW.item_key) = 'blob';
    SELECT RAISE(ABORT, 'submit: item_key must have 1 to 512 bytes')
    WHERE length(CAST(NEW.item_key AS BLOB)) < 1 OR length(CAST(NEW.item_key AS BLOB)) > 512;
    SELECT RAISE(ABORT, 'submit: item_key must not have control characters')
    WHERE instr(CAST(NEW.item_key AS BLOB), x'00') > 0
        OR NEW.item_key GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159)
            || ']*';
    SELECT RAISE(ABORT, 'submit: data must be valid JSON text')
    WHERE NEW.data IS NOT NULL AND (typeof(NEW.data) = 'blob' OR NOT json_valid(NEW.data));
    SELECT RAISE(ABORT, 'submit: data must not exceed 1 MiB')
    WHERE length(CAST(NEW.data AS BLOB)) > 1048576;
    SELECT RAISE(ABORT, 'submit: priority must be an integer from -1000000 to 1000000')
    WHERE NEW.priority IS NOT NULL AND (typeof(NEW.priority) <> 'integer'
        OR NEW.priority < -1000000 OR NEW.priority > 1000000);
    INSERT INTO inbox (job_id, item_key, data, priority, created_at)
    SELECT id, CAST(NEW.item_key AS TEXT), CAST(NEW.data AS TEXT), NEW.priority,
        CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)
    FROM jobs WHERE name = NEW.job;
END;

PRAGMA application_id = 1937010292;
PRAGMA user_version = 1;
