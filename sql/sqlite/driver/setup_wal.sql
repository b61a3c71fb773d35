-- purpose: switches the file to write-ahead logging, for good; says what it is afterwards
-- params: none
-- columns: journal_mode
-- rows: 1
-- access: writes
PRAGMA journal_mode = WAL
