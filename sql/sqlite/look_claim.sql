-- purpose: what a claim is about
-- params: claim
-- columns: job, stage, item_key
-- rows: 0..1
-- access: reads
SELECT j.name AS job, g.name AS stage, w.item_key AS item_key
FROM item_stages s
JOIN work_items w ON w.id = s.item_id
JOIN stages g ON g.id = s.stage_id
JOIN jobs j ON j.id = g.job_id
WHERE s.claim = :claim AND s.status = 'in_progress'
