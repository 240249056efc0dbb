-- With the crate, so that of names that begin alike no row is looked at.
DROP INDEX crate_search_name;
CREATE INDEX crate_search_name ON crate_search (project_id, normalized_name) INCLUDE (crate_id);
