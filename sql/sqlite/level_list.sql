-- purpose: the tokens that a clean stop has left in each bucket
-- params: none
-- columns: name, tokens_millionths, saved_at
-- rows: 0..n
-- access: reads
SELECT name, tokens_millionths, saved_at FROM resource_levels
