-- purpose: the runs of a stage that waited for the end of its pause are due now
-- params: stage_id, retry_after, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE OR FAIL item_stages SET next_attempt_at = :now_ms, updated_at = :now_ms
WHERE status = 'retry_later' AND next_attempt_at = :retry_after AND stage_id = :stage_id
