-- purpose: a pause of a stage whose time has passed; trials from min_trial on (0: operators', too)
-- params: now_ms, min_trial
-- columns: name, stage_id, trial, retry_after
-- rows: 0..1
-- access: reads
SELECT name, stage_id, trial, retry_after FROM pauses
WHERE paused = 1 AND retry_after > 0 AND retry_after <= :now_ms AND kind = 'stage'
    AND trial >= :min_trial
ORDER BY retry_after LIMIT 1
