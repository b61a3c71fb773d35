-- purpose: JSON text without needless blanks; null when it is not JSON
-- params: data
-- columns: data
-- rows: 1
-- access: reads
SELECT CASE WHEN json_valid(:data) THEN json(:data) END AS data
