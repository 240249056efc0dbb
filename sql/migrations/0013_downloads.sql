-- What was downloaded, as nginx's logs tell it.  Numbers of crates, versions, projects and users
-- are no references: what was counted stays counted when they are gone.

-- How far each log was read.  A log is what begins with a line of its own, wherever it lies now;
-- it is never forgotten, so that one that comes back is not counted again.
CREATE TABLE download_logs (
	node        text NOT NULL,
	fingerprint text NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{64}$'), -- SHA-256 of its first line
	position    bigint NOT NULL CHECK (position > 0),
	path        text NOT NULL,      -- where it was last
	garbage     bigint NOT NULL,    -- lines that could not be read
	read_at     timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (node, fingerprint)
);

-- Days and months are those of UTC.
CREATE TABLE download_days (
	crate_id   bigint NOT NULL,
	version_id bigint NOT NULL,
	day        date NOT NULL,
	project_id bigint NOT NULL,
	downloads  bigint NOT NULL,
	last_at    timestamptz NOT NULL,
	PRIMARY KEY (crate_id, version_id, day)
);
CREATE INDEX download_days_project ON download_days (project_id, day);

-- Who has downloaded: a user, a deploy token or the token of a job, by its number; anybody: 0.
CREATE TABLE usage_months (
	month      date NOT NULL,
	project_id bigint NOT NULL,
	actor      text NOT NULL CHECK (actor IN ('user', 'deploy', 'job', 'anybody')),
	actor_id   bigint NOT NULL,
	downloads  bigint NOT NULL,
	PRIMARY KEY (month, project_id, actor, actor_id)
);

-- All that was downloaded of a version, and when last: ask for crate_id and version_id, or for
-- crate_id alone and sum up, and it is read by the primary key.
CREATE VIEW version_downloads AS
SELECT crate_id, version_id, sum(downloads)::bigint AS downloads, max(last_at) AS last_downloaded_at
  FROM download_days
 GROUP BY crate_id, version_id;
