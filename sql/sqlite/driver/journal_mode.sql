-- purpose: the journal mode of the file
-- params: none
-- columns: journal_mode
-- rows: 1
-- access: reads
PRAGMA journal_mode
