-- purpose: stages of a job, enabled or not
-- params: job_id
-- columns: id, name, position, handler_version, enabled
-- rows: 0..n
-- access: reads
SELECT id, name, position, handler_version, enabled
FROM stages WHERE job_id = :job_id ORDER BY position, id
