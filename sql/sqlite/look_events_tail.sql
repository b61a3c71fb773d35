-- purpose: the id before the newest events of every kind
-- params: limit
-- columns: after_id
-- rows: 1
-- access: reads
SELECT coalesce(min(id), 1) - 1 AS after_id
FROM (SELECT id FROM events WHERE id > 0 ORDER BY id DESC LIMIT :limit)
