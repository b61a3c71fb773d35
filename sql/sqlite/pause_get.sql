-- purpose: a pause of a stage, in force or lifted
-- params: name
-- columns: paused, trial, retry_after
-- rows: 0..1
-- access: reads
SELECT paused, trial, retry_after FROM pauses
WHERE kind = 'stage' AND name = :name AND key = ''
