-- purpose: a stage as the configuration has it now
-- params: id, position, handler_version, enabled
-- columns: none
-- rows: 0
-- access: writes
UPDATE stages SET position = :position, handler_version = :handler_version, enabled = :enabled
WHERE id = :id
