-- purpose: stages whose lanes are not served now
-- params: none
-- columns: stage_id
-- rows: 0..n
-- access: reads
SELECT stage_id FROM pauses WHERE paused = 1 AND kind = 'stage' AND stage_id > 0
UNION ALL
SELECT g.id AS stage_id FROM job_state j JOIN stages g ON g.job_id = j.job_id WHERE j.paused = 1
