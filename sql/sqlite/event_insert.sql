-- purpose: one line of the one log
-- params: ts, event, job_id, stage_id, item_id, data
-- columns: none
-- rows: 0
-- access: writes
INSERT INTO events (ts, event, job_id, stage_id, item_id, data)
VALUES (:ts, :event, :job_id, :stage_id, :item_id, :data)
