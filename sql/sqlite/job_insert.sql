-- purpose: a job that is new in the configuration
-- params: name, now_ms
-- columns: none
-- rows: 0
-- access: writes
INSERT INTO jobs (name, created_at) VALUES (:name, :now_ms)
