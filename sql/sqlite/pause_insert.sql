-- purpose: a stage is paused for the first time; name is JOB.STAGE; trial 0: by an operator
-- params: name, stage_id, reason, retry_after, trial, now_ms
-- columns: none
-- rows: 0
-- access: writes
INSERT INTO pauses (kind, name, key, stage_id, paused, reason, retry_after, trial, updated_at)
VALUES ('stage', :name, '', :stage_id, 1, :reason, :retry_after, :trial, :now_ms)
