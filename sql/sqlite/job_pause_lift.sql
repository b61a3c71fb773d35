-- purpose: the job is served again
-- params: job_id, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE job_state SET paused = 0, pause_reason = NULL, retry_after = NULL, updated_at = :now_ms
WHERE job_id = :job_id
