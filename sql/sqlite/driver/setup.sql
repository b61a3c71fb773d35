-- purpose: settings of every connection that may write (RELIABILITY: SQLite rules). Debian builds
-- secure_delete ON; checkpoints are the keeper's alone; a cache of 4 MB a process
-- params: none
-- columns: none
-- rows: 0
-- access: ddl
PRAGMA secure_delete = OFF;
PRAGMA journal_size_limit = 8388608;
PRAGMA mmap_size = 0;
PRAGMA foreign_keys = ON;
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA wal_autocheckpoint = 0;
PRAGMA cache_size = -4096;
