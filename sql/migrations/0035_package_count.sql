-- To count the packages whose crates' names hold some text, up to ten thousand, is to step through this
-- index and to look at no row.
-- replaces: f822bc87e0f6bb5d3a7dc4a40d9bab8a450e9538db86a8c999e704fe2413fbc2

-- step: index versions_listed_crate
CREATE INDEX CONCURRENTLY versions_listed_crate ON versions (crate_id, project_id)
	WHERE status IN ('default', 'deprecated', 'error');
