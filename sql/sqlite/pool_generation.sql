-- purpose: the configuration that a pool goes by
-- params: id
-- columns: config_generation
-- rows: 0..1
-- access: reads
SELECT config_generation FROM pools WHERE id = :id
