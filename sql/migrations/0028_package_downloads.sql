-- When a package was last downloaded, and a way to those whose names hold some text.
-- replaces: bb01ceb7595facea4ad24e8f100a46b22e1c41e7f2b2a80a7428042f0fb1c919

-- step: index crates_name_trigrams
CREATE INDEX CONCURRENTLY crates_name_trigrams ON crates USING gin (project_id, normalized_name gin_trgm_ops);

-- step: transaction
-- As before, and when it was last downloaded: the newest of the version's days, which are read by
-- the primary key of download_days.
CREATE OR REPLACE VIEW package_entries AS
SELECT v.id, v.project_id, p.full_path AS project_path, v.crate_id, c.name, v.version, v.status,
       v.status_message, v.yanked,
       to_char(v.published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
       v.cksum, v.size,
       CASE WHEN t.kind IS NULL OR t.kind = 'personal' THEN v.user_id END AS creator_id,
       t.pipeline, t.project_id AS job_project_id, t.job_url, t.ref, t.commit,
       to_char(t.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS job_created_at,
       u.id AS user_id, u.username, u.name AS user_name, u.state AS user_state,
       (SELECT to_char(d.last_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
          FROM download_days d
         WHERE d.crate_id = v.crate_id AND d.version_id = v.id
         ORDER BY d.day DESC LIMIT 1) AS last_downloaded_at
  FROM versions v
  JOIN crates c ON c.id = v.crate_id
  JOIN projects p ON p.id = v.project_id
  LEFT JOIN tokens t ON t.id = v.token_id
  LEFT JOIN users u ON u.id = v.user_id;
