-- name: page_crate
-- $1 project, $2 normalized name, $3 version without build metadata, or null for the one that is shown, $4 how
-- many versions after $5 others, $6 whether it is told who has published.  The crate by the unique index
-- (project_id, normalized_name), the version by (crate_id, version_base): the one that is shown is known from
-- crate_search, unless the crate is due, and crate_shown() sorts all versions of one that is.  Token and user by
-- primary keys.  Without $3: `versions`, by (crate_id, version_base), sorted.  `dependents`: of the first 10000
-- dependencies by dependencies_reverse the newest version of each crate of the project, 100 at most.  `days` and
-- `by_version`: those of the last 90 of all days of the crate, by the primary key of download_days.
-- No row: there is no such crate, or no such version, that is listed.
WITH target AS MATERIALIZED (
    SELECT c.id, c.name, coalesce((SELECT v.id FROM versions v WHERE v.crate_id = c.id AND v.version_base = $3::text
                                      AND v.status IN ('default', 'deprecated')),
                                  CASE WHEN $3 IS NULL THEN coalesce(
                                      (SELECT v.id FROM crate_search s
                                         JOIN versions v ON v.crate_id = s.crate_id
                                              AND v.version_base = split_part(s.max_version, '+', 1)
                                        WHERE s.crate_id = c.id AND v.status IN ('default', 'deprecated')
                                          AND NOT EXISTS (SELECT FROM crates_due d WHERE d.crate_id = c.id)),
                                      crate_shown(c.id)) END) AS version_id
      FROM crates c WHERE c.project_id = $1::bigint AND c.normalized_name = $2::text),
listed AS MATERIALIZED (
    SELECT v.id, v.version, v.published_at, v.size, v.yanked, v.yank_message, v.license, v.rust_version, v.edition
      FROM target t JOIN versions v ON v.crate_id = t.id AND v.status IN ('default', 'deprecated')
     WHERE $3 IS NULL),
loaded AS MATERIALIZED (
    SELECT d.day, d.version_id, sum(d.downloads)::bigint AS downloads
      FROM target t JOIN download_days d ON d.crate_id = t.id
     WHERE $3 IS NULL AND d.day > (now() AT TIME ZONE 'UTC')::date - 90
     GROUP BY GROUPING SETS ((d.day), (d.version_id)))
SELECT t.name, v.version, v.yanked, v.yank_message, v.status, v.description, v.homepage, v.documentation,
       v.repository, v.license, v.license_file, v.links, v.rust_version, v.edition, v.size, v.cksum,
       extract(epoch FROM v.published_at)::bigint AS published_at, v.has_lib,
       array_to_json(v.bins)::text AS bins, array_to_json(v.keywords)::text AS keywords,
       array_to_json(v.categories)::text AS categories, left(v.readme, 65537) AS readme, v.readme_file, v.index_line,
       (SELECT count(*) FROM listed) AS total,
       (SELECT json_agg(json_build_object('version', o.version, 'at', extract(epoch FROM o.published_at)::bigint,
                   'size', o.size, 'yanked', o.yanked, 'why', o.yank_message, 'license', o.license,
                   'rust', o.rust_version, 'edition', o.edition) ORDER BY o.id DESC)
          FROM (SELECT * FROM listed ORDER BY id DESC LIMIT $4::bigint OFFSET $5::bigint) o)::text AS versions,
       (SELECT json_agg(json_build_object('name', o.name, 'version', o.version, 'req', o.req, 'kind', o.kind)
                   ORDER BY o.normalized_name)
          FROM (SELECT DISTINCT ON (b.normalized_name) b.name, b.normalized_name, u.version, d.req, d.kind
                  FROM (SELECT * FROM dependencies d
                         WHERE $3 IS NULL AND d.normalized_name = $2 AND d.registry IS NULL LIMIT 10000) d
                  JOIN versions u ON u.id = d.version_id
                  JOIN crates b ON b.id = u.crate_id
                 WHERE u.project_id = $1 AND u.crate_id <> t.id AND u.status IN ('default', 'deprecated')
                 ORDER BY b.normalized_name, u.id DESC, d.kind = 'normal' DESC
                 LIMIT 100) o)::text AS dependents,
       (SELECT json_agg(json_build_array((now() AT TIME ZONE 'UTC')::date - l.day, l.downloads))
          FROM loaded l WHERE l.day IS NOT NULL)::text AS days,
       (SELECT json_agg(json_build_array(o.version, l.downloads) ORDER BY l.downloads DESC, o.id DESC)
          FROM (SELECT * FROM loaded WHERE version_id IS NOT NULL ORDER BY downloads DESC LIMIT 10) l
          JOIN listed o ON o.id = l.version_id)::text AS by_version,
       w.kind AS token_kind, w.name AS token_name, w.issuer, w.pipeline, w.job, w.job_url, w.ref, w.commit,
       u.username AS publisher
  FROM target t
  JOIN versions v ON v.id = t.version_id
  LEFT JOIN tokens w ON w.id = v.token_id AND $6::boolean
  LEFT JOIN users u ON u.id = v.user_id AND $6;

-- name: page_crate_events
-- $1 project, $2 normalized name, $3 version without build metadata.  What was done with the version, 100 rows at
-- most, the newest of the crate by audit_events_crate; users by primary key.
SELECT e.action, extract(epoch FROM e.at)::bigint AS at, u.username, e.request_id, e.detail ->> 'message' AS message
  FROM (SELECT * FROM audit_events e
         WHERE replace(lower(e.crate), '_', '-') = $2::text AND e.project_id = $1::bigint
           AND split_part(e.version, '+', 1) = $3::text
         ORDER BY e.at DESC, e.id DESC LIMIT 100) e
  LEFT JOIN users u ON u.id = e.user_id
 ORDER BY e.at DESC, e.id DESC;
