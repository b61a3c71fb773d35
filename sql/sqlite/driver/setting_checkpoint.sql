-- purpose: after how many pages a commit checkpoints by itself
-- params: none
-- columns: wal_autocheckpoint
-- rows: 1
-- access: reads
PRAGMA wal_autocheckpoint
