-- purpose: stage_counts that differ from a recount (offline: reads everything)
-- params: none
-- columns: problem
-- rows: 0..n
-- access: reads
SELECT 'stage_counts of stage ' || c.stage_id || ' differ from a recount' AS problem
FROM stage_counts c
LEFT JOIN (SELECT stage_id, sum(status = 'blocked') AS blocked, sum(status = 'pending') AS pending,
        sum(status = 'in_progress') AS in_progress, sum(status = 'retry_later') AS retry_later,
        sum(status = 'held') AS held, sum(status = 'done') AS done,
        sum(status = 'skipped') AS skipped, sum(status = 'failed') AS failed,
        sum(status = 'exhausted') AS exhausted, sum(status = 'cancelled') AS cancelled
    FROM item_stages GROUP BY stage_id) r ON r.stage_id = c.stage_id
WHERE c.blocked <> coalesce(r.blocked, 0) OR c.pending <> coalesce(r.pending, 0)
    OR c.in_progress <> coalesce(r.in_progress, 0) OR c.retry_later <> coalesce(r.retry_later, 0)
    OR c.held <> coalesce(r.held, 0) OR c.done <> coalesce(r.done, 0)
    OR c.skipped <> coalesce(r.skipped, 0) OR c.failed <> coalesce(r.failed, 0)
    OR c.exhausted <> coalesce(r.exhausted, 0) OR c.cancelled <> coalesce(r.cancelled, 0)
