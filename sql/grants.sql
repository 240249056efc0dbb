-- The rights of the pool's role: for each table exactly what the statements of queries/ and the functions
-- behind triggers need, to insert and to update by column.  So a session with only that role cannot choose
-- the id or the time of an audit row, remove one or a tombstone, or change the content of a version.
-- `berth migrate --grant-to ROLE` takes everything away first and then applies this file; a new table is
-- closed until it has a line here.  t/220-grants.t compares the file with the needs, and prints the right
-- lines.  Rights that only the build before needs, or whose lack its `berth check` reports, stay for one
-- version, below a line of its own:
-- "-- Needed by the build before alone:".

GRANT SELECT, UPDATE (id) ON access_epoch TO :role;
GRANT SELECT, INSERT (action, crate, detail, project_id, remote_addr, request_id, token_id, user_id, version)
	ON audit_events TO :role;
GRANT SELECT, INSERT (sha256, size), UPDATE (stored_at, unused_since), DELETE ON blobs TO :role;
GRANT SELECT, INSERT (host, lease_until, node, stale_s, synced), UPDATE (host, lease_until, stale_s, synced),
	DELETE ON cache_nodes TO :role;
GRANT SELECT, INSERT (id) ON cache_run TO :role;
GRANT SELECT, INSERT (system, until_at), UPDATE (until_at), DELETE ON ci_outages TO :role;
GRANT SELECT, INSERT (crate_id, project_id, user_id), DELETE ON crate_owners TO :role;
GRANT SELECT, INSERT (crate_id, listed_versions, normalized_name, project_id), UPDATE (listed_versions) ON
	crate_names TO :role;
GRANT SELECT, INSERT (crate_id, description, document, keywords, license, max_version, name, normalized_name,
	project_id, rust, yanked), UPDATE (description, document, keywords, license, max_version, name, rust,
	weight, yanked), DELETE ON crate_search TO :role;
GRANT SELECT, INSERT (index_body, index_last, index_revision, index_time, name, normalized_name,
	project_id), UPDATE (deleted_at, index_body, index_last, index_revision, name, updated_at) ON crates
	TO :role;
GRANT SELECT, INSERT (crate_id), DELETE ON crates_due TO :role;
GRANT SELECT, INSERT (sha256), DELETE ON damaged_blobs TO :role;
GRANT SELECT, INSERT (alias, crate_id, default_features, features, kind, name, normalized_name, optional,
	project_id, registry, req, target, version_id) ON dependencies TO :role;
GRANT SELECT, INSERT (crate_id, day, downloads, last_at, project_id, version_id), UPDATE (downloads, last_at)
	ON download_days TO :role;
GRANT SELECT, INSERT (fingerprint, garbage, node, path, position), UPDATE (finished_at, garbage, path,
	position, read_at) ON download_logs TO :role;
GRANT SELECT, INSERT (name, percentage, project_id), UPDATE (changed_at, percentage), DELETE ON feature_flags
	TO :role;
GRANT SELECT, INSERT (gitlab, gitlab_id, kind, name, project_id, user_id), DELETE ON gitlab_pins TO :role;
GRANT SELECT, INSERT (ancestor_ids, full_path, parent_id, path), UPDATE (ancestor_ids, anonymous_networks,
	default_project_id, registry_projects) ON groups TO :role;
GRANT SELECT, INSERT (from_group_id, from_project_id, policies, project_id), DELETE ON job_token_allowlist TO
	:role;
GRANT SELECT, INSERT (args, key, kind, node, period), UPDATE (attempts, backend_pid, backend_start,
	claimed_by, claimed_until, dead_at, done_at, error, period, progress, run_at, runs), DELETE ON tasks
	TO :role;
GRANT SELECT, INSERT (access_level, expires_at, group_id, project_id, user_id), UPDATE (access_level,
	expires_at), DELETE ON members TO :role;
GRANT SELECT, INSERT (answers, node, route), UPDATE (answers) ON nginx_answers TO :role;
GRANT SELECT ON package_entries TO :role;
GRANT SELECT, INSERT (full_path, group_id, path, visibility), UPDATE (anonymous_networks, job_token_limited,
	packages_enabled, policy, public_packages, readme_images, visibility) ON projects TO :role;
GRANT SELECT, INSERT (minimum_access_level_for_delete, minimum_access_level_for_push, normalized_pattern,
	package_name_pattern, project_id), UPDATE (minimum_access_level_for_delete,
	minimum_access_level_for_push, normalized_pattern, package_name_pattern), DELETE ON protection_rules
	TO :role;
GRANT SELECT, INSERT (group_id, max_bytes, max_crates, max_versions, project_id), UPDATE (max_bytes,
	max_crates, max_versions, used_bytes, used_crates, used_versions), DELETE ON quotas TO :role;
GRANT SELECT, INSERT (digest, until_at), UPDATE (until_at), DELETE ON refused_job_tokens TO :role;
GRANT SELECT ON registry TO :role;
GRANT SELECT, INSERT (enabled, exclude, keep_newest, keep_prereleases, project_id, unused_days), UPDATE
	(enabled, exclude, keep_newest, keep_prereleases, unused_days) ON retention_policies TO :role;
GRANT SELECT ON schema_migrations TO :role;
GRANT SELECT, INSERT (crates, part, project_id), UPDATE (crates) ON search_counts TO :role;
GRANT SELECT, INSERT (by_sso, digest, expires_at, user_id), DELETE ON sessions TO :role;
GRANT SELECT, INSERT (digest, expires_at, user_id), DELETE ON sign_in_links TO :role;
GRANT SELECT, INSERT (checked_at, problems), UPDATE (checked_at, problems) ON store_check TO :role;
GRANT SELECT, INSERT (expires_at, node, seen_at), UPDATE (expires_at, seen_at), DELETE ON node_certificates
	TO :role;
GRANT SELECT, INSERT (external_url, keys, node, schema, seen_at, since, version), UPDATE (external_url, keys,
	schema, seen_at, since, version), DELETE ON store_nodes TO :role;
GRANT SELECT, UPDATE (adopted_at, confirmed, confirmed_at, held_at, held_files, held_of, mark, moved_at,
	next_mark, written_by) ON store_state TO :role;
GRANT SELECT, INSERT (fingerprint, slot), UPDATE (retired_at) ON token_slots TO :role;
GRANT SELECT, INSERT (checked_until, claims, commit, crate_patterns, digest, expires_at, family, group_id,
	handle, issuer, job, job_url, kind, login, name, operations, pipeline, project_id, ref, scopes,
	source, trust_rule_id, user_id), UPDATE (checked_until, family, last_used_at, revoked_at), DELETE ON
	tokens TO :role;
GRANT SELECT, INSERT (cksum, crate_id, version_base) ON tombstones TO :role;
GRANT SELECT, INSERT (claims, crate_patterns, issuer_id, operations, project_id, user_id), UPDATE (owner_id),
	DELETE ON trust_rules TO :role;
GRANT SELECT, INSERT (audience, jwks_url, kind, url), UPDATE (enabled, jwks, jwks_claimed_at, jwks_failed_at,
	jwks_fetched_at), DELETE ON trusted_issuers TO :role;
GRANT SELECT, INSERT (actor, actor_id, downloads, month, project_id), UPDATE (downloads) ON usage_months TO
	:role;
GRANT SELECT, INSERT (digest, until_at), UPDATE (until_at), DELETE ON used_id_tokens TO :role;
GRANT SELECT, INSERT (email, is_admin, name, username), UPDATE (email, is_admin, name, state) ON users TO
	:role;
GRANT SELECT, INSERT (authors, bins, categories, cksum, crate_id, description, documentation, edition,
	features, has_lib, homepage, id, imported_at, index_line, keywords, license, license_file, links,
	normalized_name, project_id, published_at, readme, readme_file, repository, rust_version, size,
	token_id, user_id, version, version_base), UPDATE (deleted_at, index_line, status, status_before,
	status_message, yank_message, yanked), DELETE ON versions TO :role;
GRANT USAGE ON SEQUENCE versions_id_seq TO :role;
GRANT SELECT, INSERT (action, actor, full_at, granted), UPDATE (full_at, granted), DELETE ON rate_limits TO
	:role;

-- Needed by the build before alone:
GRANT INSERT (run_at), UPDATE (again) ON tasks TO :role;
