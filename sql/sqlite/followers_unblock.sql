-- purpose: a stage run is done or skipped: what waited for it last is claimable. (EXISTS, because
--   IN (SELECT …) builds a table at each look.)
-- params: item_id, stage_id, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE OR FAIL item_stages SET status = 'pending', updated_at = :now_ms
WHERE item_id = :item_id AND status = 'blocked'
    AND EXISTS (SELECT 1 FROM stage_edges o
        WHERE o.stage_id = item_stages.stage_id AND o.after_stage_id = :stage_id)
    AND NOT EXISTS (
        SELECT 1 FROM stage_edges e
        JOIN item_stages p ON p.item_id = :item_id AND p.stage_id = e.after_stage_id
        WHERE e.stage_id = item_stages.stage_id AND p.status <> 'done' AND p.status <> 'skipped')
