-- purpose: a stage that is new in the configuration; its row of counts comes by trigger
-- params: job_id, name, position, handler_version
-- columns: none
-- rows: 0
-- access: writes
INSERT INTO stages (job_id, name, position, handler_version)
VALUES (:job_id, :name, :position, :handler_version)
