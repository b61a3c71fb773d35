-- purpose: items whose runs do not share a rank (offline: reads everything)
-- params: none
-- columns: problem
-- rows: 0..n
-- access: reads
SELECT 'item ' || item_id || ' has runs of different rank' AS problem
FROM item_stages GROUP BY item_id HAVING min(rank) <> max(rank)
