-- purpose: the id of an item by its identity
-- params: job_id, item_key
-- columns: id
-- rows: 0..1
-- access: reads
SELECT id FROM work_items WHERE job_id = :job_id AND item_key = :item_key
