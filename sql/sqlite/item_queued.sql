-- purpose: an item is reopened: it queues from now on
-- params: id, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE work_items SET queued_at = :now_ms, updated_at = :now_ms WHERE id = :id
