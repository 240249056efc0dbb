-- Indexes for lists of crates by licence, by yanked versions, and by the Rust that they need.
-- floor: 0122

-- step: index crate_search_license
CREATE INDEX CONCURRENTLY crate_search_license ON crate_search (project_id, license, weight DESC)
	WHERE license IS NOT NULL;

-- step: index crate_search_yanked
CREATE INDEX CONCURRENTLY crate_search_yanked ON crate_search (project_id, weight DESC) WHERE yanked > 0;

-- step: index crate_search_rust
CREATE INDEX CONCURRENTLY crate_search_rust ON crate_search (project_id, rust DESC) WHERE rust IS NOT NULL;
