-- purpose: the level of durability: 1 normal, 2 full
-- params: none
-- columns: synchronous
-- rows: 1
-- access: reads
PRAGMA synchronous
