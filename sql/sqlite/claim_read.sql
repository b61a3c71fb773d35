-- purpose: what a handler may know of a claimed run
-- params: id, claim
-- columns: item_id, stage_id, attempts, interruptions, streak, suspect, started_at, checkpoint,
--   item_key, data
-- rows: 0..1
-- access: reads
SELECT s.item_id AS item_id, s.stage_id AS stage_id, s.attempts AS attempts,
    s.interruptions AS interruptions, s.streak AS streak, s.suspect AS suspect,
    s.started_at AS started_at, s.checkpoint AS checkpoint, w.item_key AS item_key, w.data AS data
FROM item_stages s JOIN work_items w ON w.id = s.item_id
WHERE s.id = :id AND s.claim = :claim AND s.status = 'in_progress'
