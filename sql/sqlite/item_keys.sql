-- purpose: keys of a job, in pages
-- params: job_id, after_key, limit
-- columns: id, item_key
-- rows: 0..limit
-- access: reads
SELECT id, item_key FROM work_items
WHERE job_id = :job_id AND item_key > :after_key ORDER BY item_key LIMIT :limit
