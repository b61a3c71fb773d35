-- purpose: the first run that a range of claims holds
-- params: first_claim, last_claim
-- columns: id, item_id, stage_id, claim, attempts, interruptions, streak, suspect, started_at
-- rows: 0..1
-- access: reads
SELECT id, item_id, stage_id, claim, attempts, interruptions, streak, suspect, started_at
FROM item_stages
WHERE status = 'in_progress' AND claim BETWEEN :first_claim AND :last_claim
ORDER BY claim LIMIT 1
