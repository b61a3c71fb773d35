-- purpose: how many submitted rows wait, counted up to a limit
-- params: job_id, limit
-- columns: waiting
-- rows: 1
-- access: reads
SELECT count(*) AS waiting FROM (
    SELECT 1 FROM inbox WHERE refused_at IS NULL AND (:job_id = 0 OR job_id = :job_id)
    LIMIT :limit)
