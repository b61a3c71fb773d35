-- purpose: one job by name
-- params: name
-- columns: id, enabled
-- rows: 0..1
-- access: reads
SELECT id, enabled FROM jobs WHERE name = :name
