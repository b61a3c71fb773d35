-- purpose: opens what stage_close skipped, when the stage is back; blocked until lane_unblock
-- params: job_id, stage_id, why, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE OR FAIL item_stages SET status = 'blocked', claim = NULL, error = NULL, attempts = 0,
    streak = 0, ended_at = NULL, updated_at = :now_ms
WHERE stage_id = :stage_id AND item_id IN (SELECT id FROM work_items WHERE job_id = :job_id)
    AND status = 'skipped' AND error = :why
