-- purpose: a submitted row cannot be admitted; it stays, with the reason
-- params: id, why, now_ms
-- columns: none
-- rows: 0
-- access: writes
UPDATE inbox SET refused_at = :now_ms, refused_why = :why WHERE id = :id
