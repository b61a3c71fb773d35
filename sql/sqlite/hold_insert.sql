-- purpose: a resource that a handler has found to be limited; nothing when it is held already
-- params: name, key, reason, retry_after, now_ms
-- columns: none
-- rows: 0
-- access: writes
INSERT OR IGNORE INTO pauses
    (kind, name, key, paused, reason, retry_after, trial, updated_at)
VALUES ('resource', :name, :key, 1, :reason, :retry_after, 0, :now_ms)
