-- purpose: done runs without a valid result, or with the result of another claim (offline: reads
--   everything)
-- params: none
-- columns: problem
-- rows: 0..n
-- access: reads
SELECT 'stage run ' || s.id || CASE WHEN r.item_id IS NULL THEN ' is done without a result'
    ELSE ' is done, but its result is superseded or of another claim' END AS problem
FROM item_stages s LEFT JOIN results r ON r.item_id = s.item_id AND r.stage_id = s.stage_id
WHERE s.status = 'done' AND (r.item_id IS NULL OR r.superseded <> 0
    OR (s.claim IS NOT NULL AND r.claim IS NOT s.claim))
