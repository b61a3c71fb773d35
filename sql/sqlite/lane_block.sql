-- purpose: after a change of order: pending runs of a stage that have become too early
-- params: stage_id, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE OR FAIL item_stages SET status = 'blocked', claim = NULL, updated_at = :now_ms
WHERE stage_id = :stage_id AND status = 'pending' AND EXISTS (
    SELECT 1 FROM stage_edges e
    JOIN item_stages p ON p.item_id = item_stages.item_id AND p.stage_id = e.after_stage_id
    WHERE e.stage_id = :stage_id AND p.status <> 'done' AND p.status <> 'skipped')
