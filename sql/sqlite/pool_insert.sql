-- purpose: a pool and its block of lives
-- params: host, pid, first_life, last_life, now_ms
-- columns: none
-- rows: 0
-- access: writes
INSERT INTO pools (host, pid, first_life, last_life, started_at)
VALUES (:host, :pid, :first_life, :last_life, :now_ms)
