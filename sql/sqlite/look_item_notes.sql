-- purpose: what handlers have said of the stage runs of an item
-- params: item_id
-- columns: stage, progress, checkpoint
-- rows: 0..n
-- access: reads
SELECT g.name AS stage, s.progress AS progress, s.checkpoint AS checkpoint
FROM item_stages s JOIN stages g ON g.id = s.stage_id
WHERE s.item_id = :item_id
ORDER BY g.position
