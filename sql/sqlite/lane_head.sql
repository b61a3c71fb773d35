-- purpose: the first claimable run of a lane, and since when it has been like that
-- params: stage_id
-- columns: id, rank, updated_at
-- rows: 0..1
-- access: reads
SELECT id, rank, updated_at FROM item_stages
WHERE stage_id = :stage_id AND status = 'pending' ORDER BY rank, id LIMIT 1
