-- purpose: the resources that are held now, and until when
-- params: now_ms
-- columns: name, retry_after
-- rows: 0..n
-- access: reads
SELECT name, max(retry_after) AS retry_after FROM pauses
WHERE kind = 'resource' AND retry_after > :now_ms
GROUP BY name
