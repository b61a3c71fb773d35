-- purpose: runs of the discovery of a job that still move
-- params: job_id
-- columns: moving, running
-- rows: 1
-- access: reads
SELECT count(*) AS moving, coalesce(sum(s.status = 'in_progress'), 0) AS running
FROM jobs d
JOIN jobs j ON j.id = :job_id
JOIN work_items w ON w.job_id = d.id AND w.item_key = j.name
JOIN item_stages s ON s.item_id = w.id
WHERE d.name = '@discover'
    AND (s.status = 'pending' OR s.status = 'in_progress' OR s.status = 'retry_later')
