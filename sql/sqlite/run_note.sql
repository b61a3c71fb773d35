-- purpose: what a running attempt says of itself, if the claim is still ours; NULL: nothing new; a
-- new checkpoint ends a row of interruptions
-- params: id, claim, progress, checkpoint, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE OR FAIL item_stages SET progress = coalesce(:progress, progress),
    checkpoint = coalesce(:checkpoint, checkpoint),
    streak = CASE WHEN :checkpoint IS NULL THEN streak ELSE 0 END, updated_at = :now_ms
WHERE id = :id AND claim = :claim AND status = 'in_progress'
