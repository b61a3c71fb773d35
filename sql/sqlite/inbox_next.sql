-- purpose: the oldest submitted row that waits
-- params: none
-- columns: id, job_id, item_key, data, priority
-- rows: 0..1
-- access: reads
SELECT id, job_id, item_key, data, priority FROM inbox
WHERE refused_at IS NULL ORDER BY id LIMIT 1
