-- `berth import kellnr` sends these statements to the database of a Kellnr.  They return the lines of a list
-- (fcgi/transfer/import_source.h).  Kellnr before 6.0 has no column crate_index.pubtime; then the name means
-- the pubtime of the outer table `older`, which is null.  A time that is none comes as the text that it is.

-- name: kellnr_sqlite
-- All rows, by scans of the tables; an administrator waits for them.
SELECT json_object('name', k.original_name, 'owners', json_group_array(u.name))
  FROM krate k JOIN owner o ON o.crate_fk = k.id JOIN user u ON u.id = o.user_fk
 GROUP BY k.id;
SELECT json_object('name', k.original_name, 'vers', i.vers, 'cksum', i.cksum,
           'yanked', json(CASE WHEN i.yanked THEN 'true' ELSE 'false' END),
           'pubtime', (SELECT coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', t), t)
                         FROM (SELECT coalesce((SELECT pubtime FROM crate_index x WHERE x.id = i.id),
                                               m.created) AS t)),
           'deps', json(coalesce(i.deps, '[]')), 'downloads', m.downloads)
  FROM (SELECT NULL AS pubtime) older CROSS JOIN krate k JOIN crate_index i ON i.crate_fk = k.id
  LEFT JOIN crate_meta m ON m.crate_fk = k.id AND m.version = i.vers
 ORDER BY i.id;

-- name: kellnr_postgresql_owners
-- The first of the same two for PostgreSQL: psql before 15 prints only the last result of several statements.
SELECT json_build_object('name', k.original_name, 'owners', json_agg(u.name))
  FROM krate k JOIN owner o ON o.crate_fk = k.id JOIN "user" u ON u.id = o.user_fk
 GROUP BY k.id;

-- name: kellnr_postgresql_versions
-- The second one.
SELECT json_build_object('name', k.original_name, 'vers', i.vers, 'cksum', i.cksum, 'yanked', i.yanked,
           'pubtime', coalesce(to_char((SELECT pubtime FROM crate_index x WHERE x.id = i.id),
               'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               regexp_replace(m.created, '^([-0-9]{10})[ T]([:0-9]{8}).*$', '\1T\2Z')),
           'deps', coalesce(i.deps, '[]'), 'downloads', m.downloads)
  FROM (SELECT NULL::timestamp AS pubtime) older CROSS JOIN krate k JOIN crate_index i ON i.crate_fk = k.id
  LEFT JOIN crate_meta m ON m.crate_fk = k.id AND m.version = i.vers
 ORDER BY i.id;
