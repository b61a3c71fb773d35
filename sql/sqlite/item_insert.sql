-- purpose: a new item; nothing when the job has one of that key; parent_id: of whom it was spawned
-- params: job_id, item_key, data, priority, source, parent_id, depth, now_ms
-- columns: none
-- rows: 0
-- access: writes
INSERT OR IGNORE INTO work_items
    (job_id, item_key, data, priority, source, parent_id, depth, queued_at, created_at, updated_at)
VALUES (:job_id, :item_key, :data, :priority, :source, :parent_id, :depth, :now_ms, :now_ms,
    :now_ms)
