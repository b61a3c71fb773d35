-- purpose: what is broken in the file; "ok" when nothing is
-- params: none
-- columns: problem
-- rows: 1..100
-- access: reads
PRAGMA integrity_check
