-- purpose: a resource is held for longer; nothing when it is held for as long already
-- params: name, key, reason, retry_after, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE pauses SET reason = :reason, retry_after = :retry_after, updated_at = :now_ms
WHERE kind = 'resource' AND name = :name AND key = :key AND retry_after < :retry_after
