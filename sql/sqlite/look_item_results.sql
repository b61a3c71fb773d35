-- purpose: all results of an item, superseded ones too, in the order of its stages
-- params: item_id
-- columns: stage, data, handler_version, superseded, created_at
-- rows: 0..n
-- access: reads
SELECT g.name AS stage, r.data AS data, r.handler_version AS handler_version,
    r.superseded AS superseded, r.created_at AS created_at
FROM results r JOIN stages g ON g.id = r.stage_id
WHERE r.item_id = :item_id ORDER BY g.position, g.id
