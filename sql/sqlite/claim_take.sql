-- purpose: claims a run if nobody else has
-- params: id, claim, started_ms, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE OR FAIL item_stages SET status = 'in_progress', claim = :claim, attempts = attempts + 1,
    started_at = :started_ms, ended_at = NULL, elapsed_ms = NULL, next_attempt_at = NULL,
    updated_at = :now_ms
WHERE id = :id AND status = 'pending'
