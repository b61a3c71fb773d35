-- purpose: the end of a life is recorded
-- params: life
-- columns: none
-- rows: 0
-- access: writes
INSERT OR IGNORE INTO settled_lives (life) VALUES (:life)
