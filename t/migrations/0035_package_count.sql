-- To count the packages whose crates' names hold some text, up to ten thousand, is to step through this
-- index and to look at no row.
CREATE INDEX versions_listed_crate ON versions (crate_id, project_id)
	WHERE status IN ('default', 'deprecated', 'error');
