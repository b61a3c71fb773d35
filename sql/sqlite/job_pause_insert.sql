-- purpose: a job's row for its pauses, if it has none
-- params: job_id, now_ms
-- columns: none
-- rows: 0
-- access: writes
INSERT OR IGNORE INTO job_state (job_id, paused, updated_at) VALUES (:job_id, 0, :now_ms)
