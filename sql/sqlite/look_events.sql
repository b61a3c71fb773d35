-- purpose: events after an id, of one kind or of all (event null), in pages
-- params: after_id, event, limit
-- columns: id, ts, event, job, stage, item_key, data
-- rows: 0..limit
-- access: reads
SELECT e.id AS id, e.ts AS ts, e.event AS event, j.name AS job, g.name AS stage,
    w.item_key AS item_key, e.data AS data
FROM events e
LEFT JOIN stages g ON g.id = e.stage_id
LEFT JOIN jobs j ON j.id = coalesce(e.job_id, g.job_id)
LEFT JOIN work_items w ON w.id = e.item_id
WHERE e.id > :after_id AND (:event IS NULL OR e.event = :event)
ORDER BY e.id LIMIT :limit
