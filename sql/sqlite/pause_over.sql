-- purpose: a pause is over and forgotten, whatever its trials were
-- params: name
-- columns: none
-- rows: 0
-- access: writes
DELETE FROM pauses WHERE kind = 'stage' AND name = :name AND key = ''
