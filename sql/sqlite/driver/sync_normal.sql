-- purpose: commits from now on may be lost by a power cut, never torn
-- params: none
-- columns: none
-- rows: 0
-- access: writes
PRAGMA synchronous = NORMAL
