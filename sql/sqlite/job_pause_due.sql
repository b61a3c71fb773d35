-- purpose: a paused job whose time has passed
-- params: now_ms
-- columns: job_id
-- rows: 0..1
-- access: reads
SELECT job_id FROM job_state
WHERE paused = 1 AND retry_after > 0 AND retry_after <= :now_ms ORDER BY retry_after LIMIT 1
