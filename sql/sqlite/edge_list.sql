-- purpose: which stage of a job comes after which
-- params: job_id
-- columns: stage_id, after_stage_id
-- rows: 0..n
-- access: reads
SELECT e.stage_id AS stage_id, e.after_stage_id AS after_stage_id
FROM stages g JOIN stage_edges e ON e.stage_id = g.id
WHERE g.job_id = :job_id ORDER BY e.stage_id, e.after_stage_id
