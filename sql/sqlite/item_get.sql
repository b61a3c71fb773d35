-- purpose: one item by its identity
-- params: job_id, item_key
-- columns: id, data, priority, queued_at
-- rows: 0..1
-- access: reads
SELECT id, data, priority, queued_at FROM work_items
WHERE job_id = :job_id AND item_key = :item_key
