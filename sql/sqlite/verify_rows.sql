-- purpose: items that lack a run of an enabled stage (offline: reads everything)
-- params: none
-- columns: problem
-- rows: 0..n
-- access: reads
SELECT 'item ' || w.id || ' has no run of stage ' || g.name AS problem
FROM work_items w
JOIN stages g ON g.job_id = w.job_id AND g.enabled = 1
LEFT JOIN item_stages s ON s.item_id = w.id AND s.stage_id = g.id
WHERE s.id IS NULL
