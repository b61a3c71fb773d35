-- purpose: claims where none may be, or missing where one must be (offline: reads everything)
-- params: none
-- columns: problem
-- rows: 0..n
-- access: reads
SELECT 'stage run ' || id || ' is ' || status
    || CASE WHEN claim IS NULL THEN ' without a claim' ELSE ' but bears a claim' END AS problem
FROM item_stages
WHERE (status = 'in_progress' AND claim IS NULL)
    OR ((status = 'pending' OR status = 'blocked' OR status = 'held') AND claim IS NOT NULL)
