-- purpose: all stage runs of a new item: those after nothing are claimable
-- params: item_id, job_id, rank, now_ms
-- columns: none
-- rows: 0
-- access: writes
INSERT INTO item_stages (item_id, stage_id, status, rank, updated_at)
SELECT :item_id, g.id,
    CASE WHEN EXISTS (SELECT 1 FROM stage_edges e WHERE e.stage_id = g.id)
        THEN 'blocked' ELSE 'pending' END,
    :rank, :now_ms
FROM stages g WHERE g.job_id = :job_id AND g.enabled = 1 ORDER BY g.position, g.id
