-- purpose: ends of lives that no order can name any more
-- params: before_life
-- columns: none
-- rows: 0
-- access: writes
DELETE FROM settled_lives WHERE life < :before_life
