-- purpose: the result of a run, in place of an older one
-- params: item_id, stage_id, claim, data, output_hash, handler_version, now_ms
-- columns: none
-- rows: 0
-- access: writes
INSERT OR REPLACE INTO results
    (item_id, stage_id, claim, superseded, created_at, handler_version, output_hash, data)
VALUES (:item_id, :stage_id, :claim, 0, :now_ms, :handler_version, :output_hash, :data)
