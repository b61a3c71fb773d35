-- purpose: every job the database knows
-- params: none
-- columns: id, name, enabled
-- rows: 0..n
-- access: reads
SELECT id, name, enabled FROM jobs ORDER BY id
