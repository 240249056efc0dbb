-- name: version_blob
-- $1 project, $2 normalized name, $3 name exactly, $4 version exactly.  Two look-ups by unique indexes:
-- crates (project_id, normalized_name), versions (crate_id, version_base).
SELECT v.id AS version_id, v.cksum, v.size, c.id AS crate_id, c.project_id, v.status <> 'hidden' AS is_listed
  FROM crates c JOIN versions v ON v.crate_id = c.id
 WHERE c.project_id = $1 AND c.normalized_name = $2 AND c.name = $3
   AND v.version_base = split_part($4, '+', 1) AND v.version = $4
   AND v.status @served;

-- name: version_add
-- $1 project, $2 normalized name of the crate, which is locked: by the unique index (project_id,
-- normalized_name).  The caller has asked version_check_new, which found no such version.  $6 sha256 and
-- $7 size of its blob, one row by primary key: if the bytes exist already, the row is locked against the
-- collector until the version refers to it.  $28 a JSON array of dependencies, $29 whether an import adds it,
-- $30 whether crate_grow_index has reserved the id of the version in this transaction: if it has not found
-- the index file as it should be, no version is added.
WITH stored AS (
	INSERT INTO blobs (sha256, size) VALUES ($6, $7)
	    ON CONFLICT (sha256) DO UPDATE SET stored_at = now(), unused_since = NULL
), added AS (
	INSERT INTO versions (id, crate_id, project_id, version, version_base, index_line, cksum, size,
	       published_at, user_id, token_id, description, homepage, documentation, repository, license,
	       license_file, links, rust_version, edition, readme, readme_file, authors, keywords, categories, bins,
	       has_lib, features, normalized_name, imported_at) OVERRIDING SYSTEM VALUE
	SELECT CASE WHEN $30::boolean THEN c.index_last ELSE nextval('versions_id_seq') END, c.id, c.project_id,
	       $3, $4, $5, $6, $7, to_timestamp($8::bigint), $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
	       $20, $21, $22, $23, $24, $25, $26, $27, c.normalized_name,
	       CASE WHEN $29::boolean THEN now() END
	  FROM crates c
	 WHERE c.project_id = $1 AND c.normalized_name = $2
	   AND (NOT $30 OR c.index_last = currval('versions_id_seq'))
	RETURNING id, crate_id, project_id
)
INSERT INTO dependencies (version_id, crate_id, project_id, name, normalized_name, alias, req, target,
                          registry,
       kind, optional, default_features, features)
SELECT v.id, v.crate_id, v.project_id, d.name, replace(lower(d.name), '_', '-'), d.alias, d.req, d.target,
       d.registry, d.kind,
       d.optional, d.default_features, d.features
  FROM added v,
       jsonb_to_recordset($28::jsonb) AS d (name text, alias text, req text, target text,
           registry text, kind text, optional boolean, default_features boolean, features text[]);

-- name: version_find
-- $1 crate, $2 version without build metadata.  One row by the unique index; its crate is locked.
SELECT id, version, yanked, index_line AS line, yank_message AS message FROM versions
 WHERE crate_id = $1 AND version_base = $2 AND status @served;

-- name: version_set_yanked
-- $1 version, $2 yanked, $3 its new line, $4 the reason or null.  By primary key; the crate is locked.
UPDATE versions SET yanked = $2, index_line = $3, yank_message = $4 WHERE id = $1;

-- name: version_published
-- $1 project, $2 normalized name, $3 version without build metadata.  Whether this version was published,
-- with which bytes and by which token.  Asked if the answer to COMMIT was lost, with the crate locked, so
-- the lost transaction has ended.  Unique indexes.
SELECT v.cksum, v.token_id FROM crates c JOIN versions v ON v.crate_id = c.id
 WHERE c.project_id = $1 AND c.normalized_name = $2 AND v.version_base = $3;
