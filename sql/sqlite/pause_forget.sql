-- purpose: a run of the stage succeeded: the lifted pause and its trials are forgotten
-- params: name
-- columns: none
-- rows: 0
-- access: writes
DELETE FROM pauses WHERE kind = 'stage' AND name = :name AND key = '' AND paused = 0
