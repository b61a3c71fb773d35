-- purpose: takes the write lock at once, so that no read can be stale when the write comes
-- params: none
-- columns: none
-- rows: 0
-- access: writes
BEGIN IMMEDIATE
