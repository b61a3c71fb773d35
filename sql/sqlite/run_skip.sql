-- purpose: ends an open run that is not needed any more
-- params: item_id, stage_id, why, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE OR FAIL item_stages SET status = 'skipped', claim = NULL, next_attempt_at = NULL,
    error = :why, ended_at = :now_ms, updated_at = :now_ms
WHERE item_id = :item_id AND stage_id = :stage_id
    AND (status = 'pending' OR status = 'retry_later' OR status = 'blocked')
