-- purpose: forgets what a stage comes after
-- params: stage_id
-- columns: none
-- rows: 0
-- access: writes
DELETE FROM stage_edges WHERE stage_id = :stage_id
