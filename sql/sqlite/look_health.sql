-- purpose: has any program ever submitted by plain SQL, and when was the newest event
-- params: none
-- columns: submitted, newest_ts
-- rows: 1
-- access: reads
SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'inbox'), 0) AS submitted,
    coalesce((SELECT ts FROM events ORDER BY id DESC LIMIT 1), 0) AS newest_ts
