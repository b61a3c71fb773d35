-- purpose: stage runs by id within bounds, of some statuses ("|done|held|"; null: all) and of one
--   stage (null: all), in pages
-- params: after_id, until_id, statuses, stage_id, limit
-- columns: id
-- rows: 0..limit
-- access: reads
SELECT id FROM item_stages
WHERE id > :after_id AND id <= :until_id
    AND (:statuses IS NULL OR instr(:statuses, '|' || status || '|') > 0)
    AND (:stage_id IS NULL OR stage_id = :stage_id)
ORDER BY id LIMIT :limit
