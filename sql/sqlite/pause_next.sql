-- purpose: when the next pause of a stage ends
-- params: none
-- columns: retry_after
-- rows: 1
-- access: reads
SELECT min(retry_after) AS retry_after FROM pauses
WHERE paused = 1 AND retry_after > 0 AND kind = 'stage'
