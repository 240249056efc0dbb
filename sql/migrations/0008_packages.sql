-- What GitLab's clients call a package is one version of a crate.  They list those of a whole
-- project, page by page: so a version knows its project itself, which is always its crate's.

ALTER TABLE crates ADD CONSTRAINT crates_in_project UNIQUE (id, project_id);
ALTER TABLE versions ADD COLUMN project_id bigint;
UPDATE versions v SET project_id = c.project_id FROM crates c WHERE c.id = v.crate_id;
ALTER TABLE versions
	ALTER COLUMN project_id SET NOT NULL,
	DROP CONSTRAINT versions_crate_id_fkey,
	ADD CONSTRAINT versions_crate FOREIGN KEY (crate_id, project_id) REFERENCES crates (id, project_id),
	-- why a version has the status that somebody gave it
	ADD COLUMN status_message text CHECK (char_length(status_message) BETWEEN 1 AND 255);

-- What is listed without being asked for, in its two orders that are not those of names; and what
-- few versions are, which are asked for by their status.
CREATE INDEX versions_listed_time ON versions (project_id, published_at, id)
	WHERE status IN ('default', 'deprecated', 'error');
CREATE INDEX versions_listed_version ON versions (project_id, version, id)
	WHERE status IN ('default', 'deprecated', 'error');
CREATE INDEX versions_other_status ON versions (project_id, status, published_at, id)
	WHERE status <> 'default';

-- All that is told of a package, times as clients read them.  Each join is a look-up by a primary
-- key.  Who publishes by a token that is not theirs alone is not its creator.
CREATE VIEW package_entries AS
SELECT v.id, v.project_id, p.full_path AS project_path, v.crate_id, c.name, v.version, v.status,
       v.status_message, v.yanked,
       to_char(v.published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
       v.cksum, v.size,
       CASE WHEN t.kind IS NULL OR t.kind = 'personal' THEN v.user_id END AS creator_id,
       t.pipeline, t.project_id AS job_project_id, t.job_url, t.ref, t.commit,
       to_char(t.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS job_created_at,
       u.id AS user_id, u.username, u.name AS user_name, u.state AS user_state
  FROM versions v
  JOIN crates c ON c.id = v.crate_id
  JOIN projects p ON p.id = v.project_id
  LEFT JOIN tokens t ON t.id = v.token_id
  LEFT JOIN users u ON u.id = v.user_id;
