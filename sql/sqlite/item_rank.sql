-- purpose: the place of an item in its lanes: the same for all its runs
-- params: item_id, rank
-- columns: none
-- rows: 0
-- access: writes
UPDATE item_stages SET rank = :rank WHERE item_id = :item_id
