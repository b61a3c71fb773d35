-- purpose: whether a run, or its result, bears a claim: then the commit was ours
-- params: id, item_id, stage_id, claim
-- columns: found
-- rows: 1
-- access: reads
SELECT EXISTS (SELECT 1 FROM item_stages WHERE id = :id AND claim = :claim)
    OR EXISTS (SELECT 1 FROM results
        WHERE item_id = :item_id AND stage_id = :stage_id AND claim = :claim) AS found
