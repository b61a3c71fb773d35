-- purpose: whether the end of a life is recorded
-- params: life
-- columns: life
-- rows: 0..1
-- access: reads
SELECT life FROM settled_lives WHERE life = :life
