-- name: version_check_new
-- $1 project, $2 name, $3 normalized name, $4 version without build metadata, $5 names of crates that must be
-- in the project, $6 user or null.  Asked before the bytes of the crate are read, and again, with the crate
-- locked by crate_lock or crate_grow_index in the same round trip, if its index file has changed since, or
-- if $5 or $6 says anything.  Always one row: whether the crate is new (after crate_grow_index in the same
-- transaction this and the values of the index file are those of the publish itself: do not read them
-- there); the crate's name as first published, which is in force until its last version is destroyed; why
-- the version cannot be added; the bytes of the version, if it exists already; the first of $5 that does
-- not exist or has no versions ($2 itself will have one); when the last version of the crate was deleted;
-- the bytes that the version must have, if one with this number was deleted; the values of the index file
-- that are needed to add a line: how often it has changed, its length, its first and last bytes
-- (base/gzip.h), and its last line (the rest of the file is not read); and whether $6 is an owner of the
-- crate.  Each is a look-up by a unique index: crates (project_id, normalized_name) for $3 and each of $5,
-- versions and tombstones (crate_id, version_base), versions and crate_owners by primary key.
SELECT coalesce(c.index_revision = 0, true) AS is_new,
       CASE WHEN c.deleted_at IS NULL OR EXISTS (SELECT FROM versions v WHERE v.crate_id = c.id)
            THEN c.name END AS name,
       same.obstacle, same.there, same.size AS there_size,
       (SELECT d.name
          FROM unnest($5::text[]) WITH ORDINALITY AS d (name, place)
         WHERE d.name <> $2
           AND NOT EXISTS (SELECT 1 FROM crates k WHERE k.project_id = $1
                   AND k.normalized_name = replace(lower(d.name), '_', '-') AND k.name = d.name
                   AND k.index_body IS NOT NULL)
         ORDER BY d.place LIMIT 1) AS unknown,
       extract(epoch FROM c.deleted_at)::bigint AS deleted_at,
       (SELECT t.cksum FROM tombstones t WHERE t.crate_id = c.id AND t.version_base = $4) AS buried,
       coalesce(c.index_revision, 0) AS index_revision, octet_length(c.index_body) AS index_bytes,
       substr(c.index_body, 1, 10) AS index_head,
       substr(c.index_body, octet_length(c.index_body) - 9) AS index_tail,
       (SELECT v.index_line FROM versions v WHERE v.id = c.index_last) AS index_last_line,
       EXISTS (SELECT FROM crate_owners k WHERE k.crate_id = c.id AND k.user_id = $6::bigint) AS is_owner
  FROM (SELECT) AS one LEFT JOIN crates c ON c.project_id = $1 AND c.normalized_name = $3
  LEFT JOIN LATERAL (
       SELECT CASE v.status WHEN 'pending_destruction' THEN 'deleted' ELSE 'there' END AS obstacle,
              CASE WHEN v.status <> 'pending_destruction' THEN v.cksum END AS there, v.size
         FROM versions v WHERE v.crate_id = c.id AND v.version_base = $4) same ON true;
