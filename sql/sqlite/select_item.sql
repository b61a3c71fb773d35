-- purpose: ids of all stage runs of an item, in the order of its stages
-- params: item_id
-- columns: id
-- rows: 0..n
-- access: reads
SELECT s.id AS id FROM item_stages s JOIN stages g ON g.id = s.stage_id
WHERE s.item_id = :item_id ORDER BY g.position, g.id
