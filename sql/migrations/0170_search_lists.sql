-- A list of crates without words: of a licence, with yanked versions, for a Rust.
-- floor: 0122

-- step: index crate_search_license
CREATE INDEX CONCURRENTLY crate_search_license ON crate_search (project_id, license, weight DESC)
	WHERE license IS NOT NULL;

-- step: index crate_search_yanked
CREATE INDEX CONCURRENTLY crate_search_yanked ON crate_search (project_id, weight DESC) WHERE yanked > 0;

-- step: index crate_search_rust
CREATE INDEX CONCURRENTLY crate_search_rust ON crate_search (project_id, rust DESC) WHERE rust IS NOT NULL;
