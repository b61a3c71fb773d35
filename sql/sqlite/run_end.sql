-- purpose: what an attempt of ours becomes, if the claim is still ours; its number stays on the row
-- unless it is claimable again; what is complete needs no checkpoint any more
-- params: id, claim, keep_claim, status, is_complete, attempts, interruptions, streak, snoozed,
--   suspect, next_attempt_at, elapsed_ms, error, progress, checkpoint, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE OR FAIL item_stages SET status = :status, attempts = :attempts,
    interruptions = :interruptions, streak = :streak, snoozes = snoozes + :snoozed,
    suspect = :suspect, next_attempt_at = :next_attempt_at,
    claim = :keep_claim, ended_at = :now_ms, elapsed_ms = :elapsed_ms, error = :error,
    progress = coalesce(:progress, progress),
    checkpoint = CASE WHEN :is_complete = 0 THEN coalesce(:checkpoint, checkpoint) END,
    updated_at = :now_ms
WHERE id = :id AND claim = :claim AND status = 'in_progress'
