-- purpose: the stages that a new item of a job gets runs for; those after nothing are claimable
-- params: job_id
-- columns: stage_id, is_root
-- rows: 0..n
-- access: reads
SELECT g.id AS stage_id,
    NOT EXISTS (SELECT 1 FROM stage_edges e WHERE e.stage_id = g.id) AS is_root
FROM stages g WHERE g.job_id = :job_id AND g.enabled = 1 ORDER BY g.position, g.id
