-- purpose: the status derived for an item
-- params: item_id
-- columns: derived_status
-- rows: 0..1
-- access: reads
SELECT derived_status FROM item_derived_status WHERE item_id = :item_id
