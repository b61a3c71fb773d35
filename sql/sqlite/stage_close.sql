-- purpose: skips the open runs of a stage that has left the configuration
-- params: job_id, stage_id, why, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE OR FAIL item_stages SET status = 'skipped', claim = NULL, next_attempt_at = NULL,
    error = :why, ended_at = :now_ms, updated_at = :now_ms
WHERE stage_id = :stage_id AND item_id IN (SELECT id FROM work_items WHERE job_id = :job_id)
    AND (status = 'blocked' OR status = 'pending' OR status = 'in_progress'
        OR status = 'retry_later' OR status = 'held')
