-- purpose: where an item stands, stage by stage, and by which version each result was made
-- params: item_id
-- columns: stage_id, status, has_result, handler_version
-- rows: 0..n
-- access: reads
SELECT s.stage_id AS stage_id, s.status AS status, r.superseded IS NOT NULL AS has_result,
    r.handler_version AS handler_version
FROM item_stages s LEFT JOIN results r ON r.item_id = s.item_id AND r.stage_id = s.stage_id
WHERE s.item_id = :item_id
