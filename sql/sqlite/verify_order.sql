-- purpose: runs that are ahead of, or behind, their predecessors (offline: reads everything)
-- params: none
-- columns: problem
-- rows: 0..n
-- access: reads
SELECT 'stage run ' || s.id || ' is ' || s.status || ' while what it comes after '
    || CASE WHEN s.status = 'blocked' THEN 'has ended' ELSE 'has not' END AS problem
FROM item_stages s
JOIN stages g ON g.id = s.stage_id AND g.enabled = 1
WHERE (s.status = 'pending' OR s.status = 'in_progress' OR s.status = 'blocked')
    AND (s.status = 'blocked') <> EXISTS (
        SELECT 1 FROM stage_edges e
        JOIN item_stages p ON p.item_id = s.item_id AND p.stage_id = e.after_stage_id
        WHERE e.stage_id = s.stage_id AND p.status <> 'done' AND p.status <> 'skipped')
