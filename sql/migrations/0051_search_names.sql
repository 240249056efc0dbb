-- With the crate, so that of names that begin alike no row is looked at.
-- replaces: 50f42862d4c5d71e94eb80784ce3061b6ee23dcf7e19e35414e92f5e8eb3b4d4

-- step: index crate_search_name_new
CREATE INDEX CONCURRENTLY crate_search_name_new ON crate_search (project_id, normalized_name) INCLUDE (crate_id);

-- step: transaction
DROP INDEX crate_search_name;
ALTER INDEX crate_search_name_new RENAME TO crate_search_name;
