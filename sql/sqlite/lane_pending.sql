-- purpose: how many runs of a stage are claimable
-- params: stage_id
-- columns: pending
-- rows: 0..1
-- access: reads
SELECT pending FROM stage_counts WHERE stage_id = :stage_id
