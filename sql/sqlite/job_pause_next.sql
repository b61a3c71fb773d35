-- purpose: when the next pause of a job ends
-- params: none
-- columns: retry_after
-- rows: 1
-- access: reads
SELECT min(retry_after) AS retry_after FROM job_state
WHERE paused = 1 AND retry_after > 0
