-- purpose: failed runs of a stage, in pages
-- params: stage_id, after_id, limit
-- columns: id
-- rows: 0..limit
-- access: reads
SELECT id FROM item_stages
WHERE stage_id = :stage_id AND status = 'failed' AND id > :after_id ORDER BY id LIMIT :limit
