-- purpose: a cache of 32 MB, for a process that adds a great many items
-- params: none
-- columns: none
-- rows: 0
-- access: writes
PRAGMA cache_size = -32768
