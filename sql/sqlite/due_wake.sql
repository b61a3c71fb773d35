-- purpose: retries whose time has come are claimable
-- params: now_ms, limit
-- columns: none
-- rows: 0
-- access: writes
UPDATE OR FAIL item_stages SET status = 'pending', claim = NULL, next_attempt_at = NULL,
    updated_at = :now_ms
WHERE id IN (SELECT id FROM item_stages
    WHERE status = 'retry_later' AND next_attempt_at <= :now_ms
    ORDER BY next_attempt_at LIMIT :limit)
