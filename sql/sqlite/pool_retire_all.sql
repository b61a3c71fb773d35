-- purpose: no older pool lives: the caller holds the directory
-- params: now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE pools SET retired_at = :now_ms WHERE retired_at IS NULL
