-- purpose: every commit from now on is on disk when it returns
-- params: none
-- columns: none
-- rows: 0
-- access: writes
PRAGMA synchronous = FULL
