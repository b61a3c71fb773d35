-- purpose: a stage is paused again after a trial, or by an operator (trial 0)
-- params: name, reason, retry_after, trial, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE pauses SET paused = 1, reason = :reason, retry_after = :retry_after, trial = :trial,
    updated_at = :now_ms
WHERE kind = 'stage' AND name = :name AND key = ''
