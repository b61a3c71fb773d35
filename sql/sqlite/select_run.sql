-- purpose: one stage run as people see it, with what it has from its item
-- params: id
-- columns: item_id, stage_id, status, attempts, interruptions, snoozes, claim, next_attempt_at,
--   started_at, ended_at, elapsed_ms, changed_at, error, item_key, priority, source, added_at
-- rows: 0..1
-- access: reads
SELECT s.item_id AS item_id, s.stage_id AS stage_id, s.status AS status, s.attempts AS attempts,
    s.interruptions AS interruptions, s.snoozes AS snoozes, s.claim AS claim,
    s.next_attempt_at AS next_attempt_at, s.started_at AS started_at, s.ended_at AS ended_at,
    s.elapsed_ms AS elapsed_ms, s.updated_at AS changed_at, s.error AS error,
    w.item_key AS item_key, w.priority AS priority, w.source AS source, w.created_at AS added_at
FROM item_stages s JOIN work_items w ON w.id = s.item_id
WHERE s.id = :id
