-- purpose: makes the transaction durable
-- params: none
-- columns: none
-- rows: 0
-- access: writes
COMMIT
