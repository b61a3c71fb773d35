-- purpose: what a further attempt at one stage of an item, by its name, would begin with
-- params: item_id, stage
-- columns: attempts, checkpoint
-- rows: 0..1
-- access: reads
SELECT r.attempts AS attempts, r.checkpoint AS checkpoint
FROM item_stages r
JOIN stages s ON s.id = r.stage_id
WHERE r.item_id = :item_id AND s.name = :stage
