-- name: retention_find
-- $1 full path.  A row without a policy if the project has none: unique index projects_full_path, primary
-- key.  Also the period in which downloads were counted: from the end of the first month that has any, by
-- the primary key of usage_months, to the time at which a log was last read, by a scan of a table of a few
-- rows for each node.
SELECT p.id AS project_id, p.full_path AS path, r.project_id IS NOT NULL AS is_set,
       coalesce(r.enabled, false) AS enabled, r.keep_prereleases, r.unused_days,
       coalesce(r.keep_newest, 1) AS keep_newest, coalesce(array_to_string(r.exclude, ','), '') AS exclude,
       (SELECT extract(epoch FROM min(month) + interval '1 month') FROM usage_months)::bigint AS counted_from,
       (SELECT extract(epoch FROM max(read_at)) FROM download_logs)::bigint AS counted_to
  FROM projects p LEFT JOIN retention_policies r ON r.project_id = p.id
 WHERE lower(p.full_path) = lower($1);

-- name: retention_next
-- $1 project.  The first project at or after it, by id, whose policy is enabled: by primary key.  The
-- rest as in retention_find.
SELECT p.id AS project_id, p.full_path AS path, true AS is_set, r.enabled, r.keep_prereleases,
       r.unused_days, r.keep_newest, array_to_string(r.exclude, ',') AS exclude,
       (SELECT extract(epoch FROM min(month) + interval '1 month') FROM usage_months)::bigint AS counted_from,
       (SELECT extract(epoch FROM max(read_at)) FROM download_logs)::bigint AS counted_to
  FROM retention_policies r JOIN projects p ON p.id = r.project_id
 WHERE r.project_id >= $1 AND r.enabled
 ORDER BY r.project_id LIMIT 1;

-- name: retention_set
-- $1 project, $2 enabled, $3 keep_prereleases, $4 unused_days, $5 keep_newest, $6 exclude: null does not
-- change a value, -1 removes a limit.  One row by primary key; returns none if nothing changes.
INSERT INTO retention_policies AS r
       (project_id, enabled, keep_prereleases, unused_days, keep_newest, exclude)
VALUES ($1, coalesce($2::boolean, false), nullif($3::bigint, -1), nullif($4::bigint, -1),
        coalesce($5::bigint, 1), coalesce(string_to_array($6::text, ','), '{}'))
    ON CONFLICT (project_id) DO UPDATE
   SET enabled = coalesce($2::boolean, r.enabled),
       keep_prereleases = CASE WHEN $3::bigint IS NULL THEN r.keep_prereleases
           ELSE excluded.keep_prereleases END,
       unused_days = CASE WHEN $4::bigint IS NULL THEN r.unused_days ELSE excluded.unused_days END,
       keep_newest = CASE WHEN $5::bigint IS NULL THEN r.keep_newest ELSE excluded.keep_newest END,
       exclude = CASE WHEN $6::text IS NULL THEN r.exclude ELSE excluded.exclude END
RETURNING r.project_id AS id, true AS changed;

-- name: retention_crates
-- $1 project, $2 crate, $3 patterns with commas, $4 how many crates.  The next crates after $2 by id that
-- have versions, with all of these in the order of publication and when each was last downloaded or imported;
-- those in error, which nobody can install, count as yanked.  Crates by primary key or, of a project with
-- few, by (project_id, normalized_name) and sorted; what hangs on them by versions (crate_id, version_base)
-- and the primary key of download_days: not all days of a version, but its last one, and the one under
-- which imported_downloads counts.  Crates that a pattern names, or that a protection rule protects from
-- being deleted (at most 100 rules of the project), are left out.
SELECT c.id AS crate_id, c.name AS crate, v.id AS version_id, v.version,
       v.yanked OR v.status = 'error' AS yanked, v.size,
       extract(epoch FROM v.published_at)::bigint AS published_at,
       extract(epoch FROM greatest(v.imported_at,
           (SELECT d.last_at FROM download_days d
             WHERE d.crate_id = c.id AND d.version_id = v.id ORDER BY d.day DESC LIMIT 1),
           (SELECT d.last_at FROM download_days d
             WHERE d.crate_id = c.id AND d.version_id = v.id AND d.day = '1970-01-01')))::bigint
       AS last_used_at
  FROM (SELECT k.id, k.name FROM crates k
         WHERE k.project_id = $1 AND k.id > $2 AND k.index_body IS NOT NULL
           AND NOT EXISTS (SELECT FROM unnest(string_to_array($3::text, ',')) AS e (pattern)
                            WHERE k.normalized_name LIKE replace(e.pattern, '*', '%'))
           AND NOT EXISTS (SELECT FROM protection_rules r
                            WHERE r.project_id = $1 AND r.minimum_access_level_for_delete IS NOT NULL
                              AND k.normalized_name LIKE r.name_like)
         ORDER BY k.id LIMIT $4::bigint) c
  JOIN versions v ON v.crate_id = c.id
 WHERE v.status <> 'pending_destruction'
 ORDER BY c.id, v.id;
