-- purpose: the pool goes by a newer configuration; no row changes when it does so already
-- params: id, generation
-- columns: none
-- rows: 0
-- access: writes
UPDATE pools SET config_generation = :generation
WHERE id = :id AND config_generation < :generation
