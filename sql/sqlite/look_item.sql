-- purpose: one item by its identity, with the status derived for it
-- params: job, item_key
-- columns: id, data, priority, source, parent_key, parent_job, depth, created_at, updated_at,
--   derived_status
-- rows: 0..1
-- access: reads
SELECT w.id AS id, w.data AS data, w.priority AS priority, w.source AS source,
    p.item_key AS parent_key, q.name AS parent_job, w.depth AS depth, w.created_at AS created_at,
    w.updated_at AS updated_at,
    (SELECT derived_status FROM item_derived_status WHERE item_id = w.id) AS derived_status
FROM work_items w
LEFT JOIN work_items p ON p.id = w.parent_id
LEFT JOIN jobs q ON q.id = p.job_id
WHERE w.job_id = (SELECT id FROM jobs WHERE name = :job) AND w.item_key = :item_key
