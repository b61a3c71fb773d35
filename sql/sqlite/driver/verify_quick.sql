-- purpose: what is broken in the file, without looking whether indexes and tables agree
-- params: none
-- columns: problem
-- rows: 1..100
-- access: reads
PRAGMA quick_check
