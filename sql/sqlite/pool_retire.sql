-- purpose: a pool has ended in good order
-- params: host, pid, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE pools SET retired_at = :now_ms
WHERE host = :host AND pid = :pid AND retired_at IS NULL
