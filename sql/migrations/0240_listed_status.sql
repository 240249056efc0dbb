-- Versions that are listed, with their status, so that the page of a crate counts them without their rows.

-- step: index versions_listed_crate_new
CREATE INDEX CONCURRENTLY versions_listed_crate_new ON versions (crate_id, project_id)
	INCLUDE (published_at, id, status) WHERE status IN ('default', 'deprecated', 'error');

-- step: transaction
DROP INDEX versions_listed_crate;
ALTER INDEX versions_listed_crate_new RENAME TO versions_listed_crate;
