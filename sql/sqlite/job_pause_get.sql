-- purpose: the pause of a job, in force or lifted
-- params: job_id
-- columns: paused, reason, retry_after
-- rows: 0..1
-- access: reads
SELECT paused, pause_reason AS reason, retry_after FROM job_state WHERE job_id = :job_id
