-- purpose: a result is no longer valid
-- params: item_id, stage_id
-- columns: none
-- rows: 0
-- access: writes
UPDATE results SET superseded = 1 WHERE item_id = :item_id AND stage_id = :stage_id
