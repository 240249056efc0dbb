-- name: page_pair
-- $1 project, $2 normalized name, $3 a version without build metadata, or null for the listed version
-- before $4, $4 another version.  The crate by the unique index (project_id, normalized_name), its
-- versions by (crate_id, version_base); without $3 all versions are sorted once.  A row for each of the
-- two versions that is listed; if neither is, one row that has only the name of the crate.  `has_page`: a
-- version of the crate is listed, by versions_listed_crate.
WITH target AS MATERIALIZED (
    SELECT c.id, c.name, coalesce($3::text, (
               SELECT o.version_base FROM versions o
                WHERE o.crate_id = c.id AND o.status IN ('default', 'deprecated')
                  AND version_order(o.version_base) COLLATE "C" < version_order($4::text) COLLATE "C"
                ORDER BY version_order(o.version_base) COLLATE "C" DESC LIMIT 1)) AS old_base
      FROM crates c WHERE c.project_id = $1::bigint AND c.normalized_name = $2::text)
SELECT t.name, v.version, v.version_base, v.yanked, v.status = 'deprecated' AS deprecated, v.yank_message,
       v.status_message, v.license, v.license_file, v.rust_version, v.edition, v.size, v.cksum,
       extract(epoch FROM v.published_at)::bigint AS published_at,
       @untimed AS is_untimed, v.index_line,
       EXISTS (SELECT FROM versions o WHERE o.crate_id = t.id AND o.status IN ('default', 'deprecated'))
           AS has_page
  FROM target t
  LEFT JOIN versions v ON v.crate_id = t.id AND v.version_base IN ($4, t.old_base)
       AND v.status IN ('default', 'deprecated');
