-- purpose: runs that wait for a time that is not set (offline: reads everything)
-- params: none
-- columns: problem
-- rows: 0..n
-- access: reads
SELECT 'stage run ' || id || ' is retry_later without a time' AS problem
FROM item_stages WHERE status = 'retry_later' AND next_attempt_at IS NULL
