-- purpose: a job has left the configuration, or is back
-- params: id, enabled
-- columns: none
-- rows: 0
-- access: writes
UPDATE jobs SET enabled = :enabled WHERE id = :id
