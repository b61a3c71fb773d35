-- purpose: after a change of order: blocked runs of a stage that need not wait any more
-- params: job_id, stage_id, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE OR FAIL item_stages SET status = 'pending', updated_at = :now_ms
WHERE stage_id = :stage_id AND item_id IN (SELECT id FROM work_items WHERE job_id = :job_id)
    AND status = 'blocked' AND NOT EXISTS (
    SELECT 1 FROM stage_edges e
    JOIN item_stages p ON p.item_id = item_stages.item_id AND p.stage_id = e.after_stage_id
    WHERE e.stage_id = :stage_id AND p.status <> 'done' AND p.status <> 'skipped')
