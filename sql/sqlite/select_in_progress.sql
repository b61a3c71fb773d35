-- purpose: claimed runs, in pages
-- params: after_claim, limit
-- columns: id, place
-- rows: 0..limit
-- access: reads
SELECT id, claim AS place FROM item_stages
WHERE status = 'in_progress' AND claim > :after_claim ORDER BY claim LIMIT :limit
