-- purpose: the newest stage run's id
-- params: none
-- columns: id
-- rows: 1
-- access: reads
SELECT coalesce(max(id), 0) AS id FROM item_stages WHERE id > 0
