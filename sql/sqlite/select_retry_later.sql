-- purpose: runs that wait for their next try, the soonest first, in pages
-- params: after_due, after_id, limit
-- columns: id, place
-- rows: 0..limit
-- access: reads
SELECT id, next_attempt_at AS place FROM item_stages
WHERE status = 'retry_later' AND (next_attempt_at, id) > (:after_due, :after_id)
ORDER BY next_attempt_at, id LIMIT :limit
