-- name: about_crate
-- $1 project, $2 normalized name.  The crate and the metadata of its shown version: look-ups by the unique
-- index (project_id, normalized_name) and the index of (crate_id, version_base), which crate_shown()
-- sorts.  A crate without a listed version has no shown version.
SELECT c.id, c.name, to_char(c.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
       to_char(c.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS updated_at,
       v.id AS shown_id, v.version AS shown, v.yanked AS shown_is_yanked, v.description,
       v.homepage, v.documentation, v.repository, array_to_json(v.keywords)::text AS keywords,
       array_to_json(v.categories)::text AS categories
  FROM crates c
  JOIN versions v ON v.id = crate_shown(c.id)
 WHERE c.project_id = $1 AND c.normalized_name = $2;

-- name: about_numbers
-- $1 project, $2 normalized name.  The newest 10000 versions of the crate that are listed, by the
-- index of the unique constraint (crate_id, version_base), sorted.
SELECT v.id, v.version, v.yanked
  FROM crates c JOIN versions v ON v.crate_id = c.id
 WHERE c.project_id = $1 AND c.normalized_name = $2 AND v.status IN ('default', 'deprecated')
 ORDER BY v.id DESC
 LIMIT 10000;

-- name: about_version
-- $1 project, $2 normalized name, $3 version without build metadata.  One row by two unique indexes.
SELECT v.id
  FROM crates c JOIN versions v ON v.crate_id = c.id AND v.version_base = $3
 WHERE c.project_id = $1 AND c.normalized_name = $2 AND v.status IN ('default', 'deprecated');

-- name: about_versions
-- $1 ids of versions of one crate, at most 1000.  The versions in this order, by primary keys, up to the
-- version at which the metadata of their publishers exceeds 2 MB.  Downloads: the days of each version, by
-- the primary key of download_days.
SELECT c.name AS crate, v.id, v.version,
       to_char(v.published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS published_at,
       v.yanked, v.yank_message, v.size, v.cksum, v.license, v.links, v.rust_version, v.edition, v.has_lib,
       array_to_json(v.bins)::text AS bins, v.description, v.homepage, v.documentation, v.repository,
       v.features::text, coalesce((SELECT sum(d.downloads) FROM download_days d
                                   WHERE d.crate_id = v.crate_id
                                     AND d.version_id = v.id), 0)::bigint AS downloads,
       u.id AS user_id, u.username, u.name AS user_name
  FROM (SELECT q.place, q.id,
               sum(octet_length(concat(o.features::text, array_to_json(o.bins)::text, o.description,
                                       o.license,
                                       o.homepage, o.documentation, o.repository, o.yank_message)))
                   OVER (ORDER BY q.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
          FROM unnest($1::bigint[]) WITH ORDINALITY AS q (id, place)
          JOIN versions o ON o.id = q.id) p
  JOIN versions v ON v.id = p.id
  JOIN crates c ON c.id = v.crate_id
  LEFT JOIN users u ON u.id = v.user_id
 WHERE coalesce(p.before, 0) <= 2097152
 ORDER BY p.place;

-- name: about_downloads
-- $1 crate.  The number of its downloads, in total and in the last 90 days: its rows, by the primary key.
SELECT coalesce(sum(downloads), 0)::bigint AS downloads,
       coalesce(sum(downloads) FILTER (WHERE day > (now() AT TIME ZONE 'UTC')::date - 90), 0)::bigint
           AS recent
  FROM download_days WHERE crate_id = $1;
