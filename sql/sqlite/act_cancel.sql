-- purpose: a run that is not complete is ended by an operator; whoever ran it has lost its claim
-- params: id, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE OR FAIL item_stages SET status = 'cancelled', claim = NULL, streak = 0,
    next_attempt_at = NULL, ended_at = :now_ms,
    elapsed_ms = CASE WHEN status = 'in_progress' THEN :now_ms - started_at ELSE elapsed_ms END,
    updated_at = :now_ms
WHERE id = :id AND status <> 'done' AND status <> 'skipped' AND status <> 'cancelled'
