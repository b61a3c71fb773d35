-- purpose: the stage is served again, for a trial
-- params: name, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE pauses SET paused = 0, updated_at = :now_ms
WHERE kind = 'stage' AND name = :name AND key = ''
