-- A list in the order of versions reads versions_listed_version alone, as the others read their indexes.  The
-- index has the result of version_order(), but without version_base and crate_id each row was read, and
-- version_order() called for it.
-- floor: 0241

-- step: index versions_listed_version_new
CREATE INDEX CONCURRENTLY versions_listed_version_new ON versions (project_id, version_order(version_base) COLLATE "C", id)
	INCLUDE (crate_id, version_base) WHERE status IN ('default', 'deprecated', 'error');

-- step: transaction
DROP INDEX versions_listed_version;
ALTER INDEX versions_listed_version_new RENAME TO versions_listed_version;
