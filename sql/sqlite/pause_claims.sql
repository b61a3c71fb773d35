-- purpose: the claims held now in a job, or in one stage of it (stage_id 0: all): what a pause finds
-- params: job_id, stage_id
-- columns: claim, stage_id
-- rows: 0..n
-- access: reads
SELECT s.claim AS claim, s.stage_id AS stage_id FROM item_stages s
JOIN stages g ON g.id = s.stage_id
WHERE s.status = 'in_progress' AND s.claim > 0 AND g.job_id = :job_id
    AND (:stage_id = 0 OR g.id = :stage_id)
