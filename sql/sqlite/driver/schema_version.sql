-- purpose: the schema in the file: its version, whose file it is, and whether it holds anything
-- params: none
-- columns: version, application_id, objects, page_bytes
-- rows: 1
-- access: reads
SELECT (SELECT user_version FROM pragma_user_version) AS version,
    (SELECT application_id FROM pragma_application_id) AS application_id,
    (SELECT count(*) FROM sqlite_schema) AS objects,
    (SELECT page_size FROM pragma_page_size) AS page_bytes
