-- purpose: the job is paused; retry_after null: until it is resumed
-- params: job_id, reason, retry_after, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE job_state SET paused = 1, pause_reason = :reason, retry_after = :retry_after,
    updated_at = :now_ms
WHERE job_id = :job_id
