-- purpose: runs by status of one job (0: every job) that is in the configuration, a row a stage
-- params: job_id
-- columns: stage_id, blocked, pending, in_progress, retry_later, held, failed, exhausted, cancelled
-- rows: 0..n
-- access: reads
SELECT g.id AS stage_id, c.blocked AS blocked, c.pending AS pending,
    c.in_progress AS in_progress, c.retry_later AS retry_later, c.held AS held,
    c.failed AS failed, c.exhausted AS exhausted, c.cancelled AS cancelled
FROM jobs j JOIN stages g ON g.job_id = j.id JOIN stage_counts c ON c.stage_id = g.id
WHERE j.enabled = 1 AND g.enabled = 1 AND (:job_id = 0 OR j.id = :job_id)
