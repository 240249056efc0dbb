-- name: fsck_indexes
-- $1 crate, $2 how many.  The next crates after $1 by id, all of the same moment: a row for
-- each with its index file and whether its number of listed versions and what a search shows of it are
-- right, or on their way, and then a row for each line that the file should have.  By primary keys, versions
-- (crate_id, version_base) and versions_listed_crate.  Read row by row: the sort has references to the files,
-- and not the files.
WITH page AS MATERIALIZED (
	SELECT id FROM crates WHERE id > $1 ORDER BY id LIMIT $2::bigint
)
SELECT c.id, p.full_path AS path, c.name, c.index_body AS body,
       coalesce(c.index_last = (SELECT max(v.id) FROM versions v WHERE v.crate_id = c.id
                                   AND v.status @served), true) AS ends_right,
       d.due OR coalesce(n.listed_versions, 0) = (SELECT count(*) FROM versions v
         WHERE v.crate_id = c.id AND v.project_id = c.project_id
           AND v.status IN ('default', 'deprecated', 'error')) AS counted,
       d.due OR coalesce(s.max_version, '') = coalesce((SELECT v.version FROM versions v
         WHERE v.id = crate_shown(c.id)), '') AS searched,
       c.project_id, NULL::text AS line, 0 AS version_id
  FROM page JOIN crates c ON c.id = page.id
  JOIN projects p ON p.id = c.project_id
 CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM crates_due q WHERE q.crate_id = c.id) AS due) d
  LEFT JOIN crate_names n ON n.crate_id = c.id
  LEFT JOIN crate_search s ON s.crate_id = c.id
 UNION ALL
SELECT v.crate_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, v.index_line, v.id
  FROM page JOIN versions v ON v.crate_id = page.id
   AND v.status @served
 ORDER BY 1, 10;

-- name: fsck_lock
-- $1 crate.  By primary key; the row stays locked until the transaction ends.
SELECT id FROM crates WHERE id = $1 FOR NO KEY UPDATE;

-- name: fsck_blobs
-- $1 SHA-256, $2 how many.  The next blobs after $1, whether a version has them, whether a version has
-- another size, and whether an earlier check has found them damaged: by primary keys, and versions_cksum.
SELECT b.sha256, b.size, EXISTS (SELECT FROM versions v WHERE v.cksum = b.sha256) AS used,
       EXISTS (SELECT FROM versions v WHERE v.cksum = b.sha256 AND v.size <> b.size) AS has_other,
       EXISTS (SELECT FROM damaged_blobs d WHERE d.sha256 = b.sha256) AS damaged
  FROM blobs b
 WHERE b.sha256 > $1 ORDER BY b.sha256 LIMIT $2::bigint;

-- name: fsck_blob_versions
-- $1 SHA-256, $2 size or null, $3 how many.  The first versions that have these bytes, or, with $2, those
-- of them whose size differs, and how many there are: by versions_cksum, names by primary keys.
SELECT p.full_path AS project, c.name AS crate, v.version, count(*) OVER () AS versions
  FROM versions v
  JOIN crates c ON c.id = v.crate_id
  JOIN projects p ON p.id = v.project_id
 WHERE v.cksum = $1 AND ($2::bigint IS NULL OR v.size <> $2)
 ORDER BY v.id LIMIT $3::bigint;

-- name: fsck_versions
-- $1 version, $2 how many.  The next versions after $1 by id that have a problem: the index line or the
-- tombstone differs from the row, or the version is deleted and has no tombstone.  By primary keys, in
-- pieces, since all versions together would exceed the time of a statement.  Always at least one row,
-- whose first columns are the last version that was checked, or null at the end, and how many were
-- checked.
WITH page AS (
	SELECT * FROM versions WHERE id > $1 ORDER BY id LIMIT $2::bigint
), wrong AS (
	SELECT v.id, p.full_path, c.name, v.version,
	       CASE WHEN t.cksum <> v.cksum THEN 'its tombstone has other bytes'
	            WHEN v.status = 'pending_destruction' AND t.cksum IS NULL
	                THEN 'it is deleted and has no tombstone'
	            ELSE 'its index line says other than its row' END AS detail
	  FROM page v
	  JOIN crates c ON c.id = v.crate_id
	  JOIN projects p ON p.id = v.project_id
	  LEFT JOIN tombstones t ON t.crate_id = v.crate_id AND t.version_base = v.version_base
	 WHERE t.cksum <> v.cksum OR (v.status = 'pending_destruction' AND t.cksum IS NULL)
	    OR strpos(v.index_line, '"vers":"' || v.version || '"') = 0
	    OR strpos(v.index_line, '"cksum":"' || v.cksum || '"') = 0
	    OR strpos(v.index_line, CASE WHEN v.yanked THEN '"yanked":true' ELSE '"yanked":false' END) = 0
)
SELECT (SELECT max(id) FROM page) AS last, (SELECT count(*) FROM page) AS looked_at, w.full_path AS project,
       w.name AS crate, w.version, w.detail
  FROM (SELECT) AS one LEFT JOIN wrong w ON true
 ORDER BY w.id;

-- name: fsck_quota
-- $1 quota.  The next quota after $1 by id, and whether its count differs from what exists: as
-- quota_recount, at one moment, so one quota at a time.
SELECT q.id, coalesce(p.full_path, g.full_path) AS path, (q.used_bytes, q.used_versions, q.used_crates) <>
       (SELECT coalesce(sum(v.bytes), 0)::bigint, coalesce(sum(v.versions), 0)::bigint,
               count(*) FILTER (WHERE v.versions > 0)
          FROM crates c
         CROSS JOIN LATERAL (SELECT sum(size) AS bytes, count(*) AS versions FROM versions
                              WHERE crate_id = c.id AND status <> 'pending_destruction') v
         WHERE c.project_id = ANY (ARRAY(SELECT vp.id FROM projects vp JOIN groups vg ON vg.id = vp.group_id
                                          WHERE vp.id = q.project_id OR q.group_id = ANY (vg.ancestor_ids))))
           AS wrong
  FROM (SELECT * FROM quotas WHERE id > $1 ORDER BY id LIMIT 1) q
  LEFT JOIN projects p ON p.id = q.project_id
  LEFT JOIN groups g ON g.id = q.group_id;

-- name: fsck_damaged
-- $1 SHA-256 of a blob whose bytes do not have it.  One row by primary key, unless the blob has gone.
INSERT INTO damaged_blobs (sha256) SELECT sha256 FROM blobs WHERE sha256 = $1 FOR KEY SHARE
    ON CONFLICT (sha256) DO NOTHING;

-- name: fsck_sound
-- $1 SHA-256s of blobs of one page, which are sound.  By primary key.
DELETE FROM damaged_blobs WHERE sha256 = ANY ($1::text[]);

-- name: fsck_note
-- $1 how many problems remain after a complete check.  One row by primary key.
INSERT INTO store_check (checked_at, problems) VALUES (now(), $1)
    ON CONFLICT (one) DO UPDATE SET checked_at = excluded.checked_at, problems = excluded.problems;
