-- purpose: pending runs of a stage as they will be claimed, in pages
-- params: stage_id, after_rank, after_id, limit
-- columns: id, place
-- rows: 0..limit
-- access: reads
SELECT id, rank AS place FROM item_stages
WHERE stage_id = :stage_id AND status = 'pending' AND (rank, id) > (:after_rank, :after_id)
ORDER BY rank, id LIMIT :limit
