-- purpose: levels that were taken, or are about to be replaced
-- params: none
-- columns: none
-- rows: 0
-- access: writes
DELETE FROM resource_levels
