-- purpose: a stage comes after another
-- params: stage_id, after_stage_id
-- columns: none
-- rows: 0
-- access: writes
INSERT OR IGNORE INTO stage_edges (stage_id, after_stage_id)
VALUES (:stage_id, :after_stage_id)
