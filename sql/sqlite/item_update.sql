-- purpose: an item after merging; queued_at changes when it is reopened
-- params: id, data, priority, queued_at, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE work_items SET data = :data, priority = :priority, queued_at = :queued_at,
    updated_at = :now_ms
WHERE id = :id
