-- purpose: whether all that a run comes after is done or skipped
-- params: item_id, stage_id
-- columns: is_ready
-- rows: 1
-- access: reads
SELECT NOT EXISTS (
    SELECT 1 FROM stage_edges e
    JOIN item_stages p ON p.item_id = :item_id AND p.stage_id = e.after_stage_id
    WHERE e.stage_id = :stage_id AND p.status <> 'done' AND p.status <> 'skipped') AS is_ready
