-- purpose: rows that refer to nothing
-- params: none
-- columns: problem
-- rows: 0..n
-- access: reads
SELECT "table" || ' row ' || coalesce(rowid, '?') || ' refers to nothing in ' || parent AS problem
FROM pragma_foreign_key_check
