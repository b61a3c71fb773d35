-- purpose: the id before the newest events of one kind
-- params: event, limit
-- columns: after_id
-- rows: 1
-- access: reads
SELECT coalesce(min(id), (SELECT max(id) + 1 FROM events), 1) - 1 AS after_id
FROM (SELECT id FROM events WHERE event = :event ORDER BY ts DESC, id DESC LIMIT :limit)
