-- purpose: whether an attempt has left an event of this kind already; claim as LIFE-SEQ
-- params: event, since_ms, item_id, stage_id, claim
-- columns: id
-- rows: 0..1
-- access: reads
SELECT id FROM events
WHERE event = :event AND ts >= :since_ms AND item_id = :item_id AND stage_id = :stage_id
    AND json_extract(data, '$.claim') = :claim
LIMIT 1
