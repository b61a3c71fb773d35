-- purpose: a read transaction: what is read from now on is one state of the database
-- params: none
-- columns: none
-- rows: 0
-- access: reads
BEGIN DEFERRED
