-- purpose: a submitted row has been admitted
-- params: id
-- columns: none
-- rows: 0
-- access: writes
DELETE FROM inbox WHERE id = :id
