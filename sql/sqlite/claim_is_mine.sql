-- purpose: whether a run still bears our claim
-- params: id, claim
-- columns: id
-- rows: 0..1
-- access: reads
SELECT id FROM item_stages WHERE id = :id AND claim = :claim AND status = 'in_progress'
