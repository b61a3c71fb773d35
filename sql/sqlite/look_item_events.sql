-- purpose: what happened to an item, oldest first, in pages
-- params: item_id, after_id, limit
-- columns: id, ts, event, stage, data
-- rows: 0..limit
-- access: reads
SELECT e.id AS id, e.ts AS ts, e.event AS event, g.name AS stage, e.data AS data
FROM events e LEFT JOIN stages g ON g.id = e.stage_id
WHERE e.item_id = :item_id AND e.id > :after_id ORDER BY e.id LIMIT :limit
