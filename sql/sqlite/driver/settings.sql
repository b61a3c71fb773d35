-- purpose: reads back what setup has set
-- params: none
-- columns: secure_delete, journal_size_limit, foreign_keys, trusted_schema, cell_size_check
-- rows: 1
-- access: reads
SELECT (SELECT secure_delete FROM pragma_secure_delete) AS secure_delete,
    (SELECT journal_size_limit FROM pragma_journal_size_limit) AS journal_size_limit,
    (SELECT foreign_keys FROM pragma_foreign_keys) AS foreign_keys,
    (SELECT trusted_schema FROM pragma_trusted_schema) AS trusted_schema,
    (SELECT cell_size_check FROM pragma_cell_size_check) AS cell_size_check
