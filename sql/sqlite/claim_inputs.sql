-- purpose: results of the enabled stages that come before one, in their order
-- params: stage_id, item_id
-- columns: stage, data
-- rows: 0..n
-- access: reads
SELECT p.name AS stage, r.data AS data
FROM stages g
JOIN stages p ON p.job_id = g.job_id AND p.position < g.position AND p.enabled = 1
LEFT JOIN results r ON r.item_id = :item_id AND r.stage_id = p.id AND r.superseded = 0
WHERE g.id = :stage_id ORDER BY p.position, p.id
