-- purpose: what an attempt of ours becomes, if the claim is still ours; its number stays on the row
-- unless it is claimable again
-- params: id, claim, keep_claim, status, attempts, interruptions, streak, suspect,
--   next_attempt_at, elapsed_ms, error, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE OR FAIL item_stages SET status = :status, attempts = :attempts,
    interruptions = :interruptions, streak = :streak, suspect = :suspect,
    next_attempt_at = :next_attempt_at,
    claim = :keep_claim, ended_at = :now_ms, elapsed_ms = :elapsed_ms, error = :error,
    updated_at = :now_ms
WHERE id = :id AND claim = :claim AND status = 'in_progress'
