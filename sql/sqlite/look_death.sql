-- purpose: the death certificate of a life whose runs were given back at this time
-- params: life, ts
-- columns: data
-- rows: 0..1
-- access: reads
SELECT data FROM events
WHERE event = 'worker.died' AND ts = :ts AND json_extract(data, '$.life') = :life
LIMIT 1
