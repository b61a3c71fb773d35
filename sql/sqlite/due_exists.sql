-- purpose: whether a retry is due
-- params: now_ms
-- columns: due
-- rows: 1
-- access: reads
SELECT EXISTS (SELECT 1 FROM item_stages
    WHERE status = 'retry_later' AND next_attempt_at <= :now_ms) AS due
