-- purpose: the first claimable run of a lane
-- params: stage_id
-- columns: id, rank, suspect
-- rows: 0..1
-- access: reads
SELECT id, rank, suspect FROM item_stages
WHERE stage_id = :stage_id AND status = 'pending' ORDER BY rank, id LIMIT 1
