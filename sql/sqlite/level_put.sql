-- purpose: the tokens in a bucket at a clean stop
-- params: name, tokens_millionths, saved_at_ms
-- columns: none
-- rows: 0
-- access: writes
INSERT INTO resource_levels (name, tokens_millionths, saved_at)
VALUES (:name, :tokens_millionths, :saved_at_ms)
