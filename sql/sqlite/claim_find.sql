-- purpose: the run that an exchange whose answer was lost has claimed
-- params: claim
-- columns: id
-- rows: 0..1
-- access: reads
SELECT id FROM item_stages WHERE claim = :claim AND status = 'in_progress'
