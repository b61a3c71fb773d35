-- purpose: valid results of a job, or of one of its stages, in pages
-- params: job, stage, after_item_id, after_stage_id, limit
-- columns: item_id, stage_id, item_key, stage, status, data, handler_version, created_at
-- rows: 0..limit
-- access: reads
SELECT r.item_id AS item_id, r.stage_id AS stage_id, w.item_key AS item_key, g.name AS stage,
    s.status AS status, r.data AS data, r.handler_version AS handler_version,
    r.created_at AS created_at
FROM results r
CROSS JOIN work_items w ON w.id = r.item_id
CROSS JOIN stages g ON g.id = r.stage_id
CROSS JOIN item_stages s ON s.item_id = r.item_id AND s.stage_id = r.stage_id
WHERE (r.item_id, r.stage_id) > (:after_item_id, :after_stage_id)
    AND r.superseded = 0 AND (:stage IS NULL OR g.name = :stage)
    AND w.job_id = (SELECT id FROM jobs WHERE name = :job)
ORDER BY r.item_id, r.stage_id LIMIT :limit
