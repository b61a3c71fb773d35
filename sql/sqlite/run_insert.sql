-- purpose: a stage run of a new item
-- params: item_id, stage_id, status, rank, now_ms
-- columns: none
-- rows: 0
-- access: writes
INSERT OR FAIL INTO item_stages (item_id, stage_id, status, rank, updated_at)
VALUES (:item_id, :stage_id, :status, :rank, :now_ms)
