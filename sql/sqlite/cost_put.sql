-- purpose: money or tokens spent by an attempt; nothing when this cost of this claim is booked
-- params: ts, job_id, stage_id, item_id, claim, n, data
-- columns: none
-- rows: 0
-- access: writes
INSERT OR IGNORE INTO events (ts, event, job_id, stage_id, item_id, claim, n, data)
VALUES (:ts, 'cost', :job_id, :stage_id, :item_id, :claim, :n, :data)
