-- purpose: how many items stand between an item and one that nobody spawned
-- params: id
-- columns: depth
-- rows: 0..1
-- access: reads
SELECT depth FROM work_items WHERE id = :id
