-- purpose: the newest life number that was ever given out
-- params: none
-- columns: last_life
-- rows: 1
-- access: reads
SELECT coalesce(max(last_life), 0) AS last_life FROM pools
