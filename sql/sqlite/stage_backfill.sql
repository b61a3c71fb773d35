-- purpose: rows of a stage for the items that its job has already; blocked until lane_unblock
-- params: job_id, stage_id, now_ms
-- columns: none
-- rows: 0
-- access: writes
INSERT OR IGNORE INTO item_stages (item_id, stage_id, status, rank, updated_at)
SELECT w.id, :stage_id, 'blocked',
    coalesce((SELECT s.rank FROM item_stages s WHERE s.item_id = w.id LIMIT 1), w.queued_at),
    :now_ms
FROM work_items w WHERE w.job_id = :job_id
