-- purpose: a pause of a stage, in force or lifted; trial 0: an operator's
-- params: name
-- columns: paused, trial, retry_after, reason
-- rows: 0..1
-- access: reads
SELECT paused, trial, retry_after, reason FROM pauses
WHERE kind = 'stage' AND name = :name AND key = ''
