-- purpose: undoes the transaction
-- params: none
-- columns: none
-- rows: 0
-- access: writes
ROLLBACK
