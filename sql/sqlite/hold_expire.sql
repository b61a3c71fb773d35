-- purpose: holds of resources whose time has passed are forgotten
-- params: now_ms
-- columns: none
-- rows: 0
-- access: writes
DELETE FROM pauses WHERE kind = 'resource' AND retry_after <= :now_ms
