-- purpose: the first claimable run of a lane
-- params: stage_id
-- columns: id, rank
-- rows: 0..1
-- access: reads
SELECT id, rank FROM item_stages
WHERE stage_id = :stage_id AND status = 'pending' ORDER BY rank, id LIMIT 1
