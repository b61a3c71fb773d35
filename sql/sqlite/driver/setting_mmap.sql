-- purpose: bytes of the file that may be mapped; no row when the library cannot
-- params: none
-- columns: mmap_size
-- rows: 0..1
-- access: reads
PRAGMA mmap_size
