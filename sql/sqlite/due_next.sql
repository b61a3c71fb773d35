-- purpose: when the next retry is due
-- params: none
-- columns: next_attempt_at
-- rows: 1
-- access: reads
SELECT min(next_attempt_at) AS next_attempt_at FROM item_stages
WHERE status = 'retry_later'
