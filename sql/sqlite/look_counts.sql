-- purpose: every stage with its counts and its pause, if any
-- params: none
-- columns: job_id, stage_id, position, is_enabled, is_paused, is_job_paused, job, stage,
--   pause_reason, retry_after, trial, blocked, pending, in_progress, retry_later, held, done, skipped, failed,
--   exhausted, cancelled, items
-- rows: 0..n
-- access: reads
SELECT j.id AS job_id, g.id AS stage_id, g.position AS position,
    j.enabled AND g.enabled AS is_enabled,
    coalesce(js.paused, 0) OR coalesce(p.paused, 0) AS is_paused,
    coalesce(js.paused, 0) AS is_job_paused, j.name AS job, g.name AS stage,
    CASE WHEN js.paused = 1 THEN js.pause_reason WHEN p.paused = 1 THEN p.reason END
        AS pause_reason,
    CASE WHEN js.paused = 1 THEN js.retry_after WHEN p.paused = 1 THEN p.retry_after END
        AS retry_after,
    CASE WHEN js.paused = 1 THEN 0 WHEN p.paused = 1 THEN p.trial ELSE 0 END AS trial,
    c.blocked AS blocked, c.pending AS pending, c.in_progress AS in_progress,
    c.retry_later AS retry_later, c.held AS held, c.done AS done, c.skipped AS skipped,
    c.failed AS failed, c.exhausted AS exhausted, c.cancelled AS cancelled,
    (SELECT max(o.blocked + o.pending + o.in_progress + o.retry_later + o.held + o.done
            + o.skipped + o.failed + o.exhausted + o.cancelled)
        FROM stages q JOIN stage_counts o ON o.stage_id = q.id WHERE q.job_id = j.id) AS items
FROM jobs j
JOIN stages g ON g.job_id = j.id
JOIN stage_counts c ON c.stage_id = g.id
LEFT JOIN job_state js ON js.job_id = j.id
LEFT JOIN pauses p ON p.kind = 'stage' AND p.name = j.name || '.' || g.name AND p.key = ''
ORDER BY j.id, g.position, g.id
