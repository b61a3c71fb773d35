-- purpose: an ended run may be tried again, with all its tries
-- params: item_id, stage_id, status, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE OR FAIL item_stages SET status = :status, claim = NULL, attempts = 0, streak = 0,
    next_attempt_at = NULL, ended_at = NULL, elapsed_ms = NULL, error = NULL, updated_at = :now_ms
WHERE item_id = :item_id AND stage_id = :stage_id
    AND status <> 'pending' AND status <> 'blocked' AND status <> 'in_progress'
    AND status <> 'retry_later' AND status <> 'held'
