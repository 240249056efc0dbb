-- Tokens of places and of CI jobs, limits on those of people, and from where jobs may come.

-- Limits: NULL is no limit.  A pattern is the normal form of a crate's name, or of its beginning
-- with a `*` behind it.
ALTER TABLE tokens
	ADD COLUMN crate_patterns text[],
	ADD COLUMN operations     text[],
	ADD COLUMN pipeline       bigint,
	ADD COLUMN job            bigint,
	ADD COLUMN job_url        text,
	ADD COLUMN ref            text,
	ADD COLUMN commit         text,
	ADD CONSTRAINT tokens_deploy CHECK (kind <> 'deploy'
		OR (user_id IS NULL AND num_nonnulls(group_id, project_id) = 1)),
	ADD CONSTRAINT tokens_job CHECK (kind <> 'job'
		OR (user_id IS NOT NULL AND group_id IS NULL AND project_id IS NOT NULL
		    AND expires_at IS NOT NULL AND pipeline IS NOT NULL AND job IS NOT NULL)),
	ADD CONSTRAINT tokens_of_no_job CHECK (kind = 'job'
		OR num_nonnulls(pipeline, job, job_url, ref, commit) = 0),
	ADD CONSTRAINT tokens_limits CHECK (num_nonnulls(crate_patterns, operations) = 0
		OR kind = 'personal'),
	ADD CONSTRAINT tokens_crate_patterns CHECK (array_to_string(crate_patterns, ',', '?')
		~ '^([a-z][a-z0-9-]{0,63}\*?|\*)(,([a-z][a-z0-9-]{0,63}\*?|\*))*$'),
	ADD CONSTRAINT tokens_operations CHECK (cardinality(operations) > 0
		AND operations <@ ARRAY['publish-new', 'publish-update', 'yank', 'owners']);

-- From which other projects, or groups of them, jobs may use a project's packages, besides its
-- own.  admin_packages includes read_packages.
CREATE TABLE job_token_allowlist (
	id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	project_id      bigint NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
	from_group_id   bigint REFERENCES groups (id) ON DELETE CASCADE,
	from_project_id bigint REFERENCES projects (id) ON DELETE CASCADE,
	policies        text[] NOT NULL CHECK (cardinality(policies) > 0
	                AND policies <@ ARRAY['read_packages', 'admin_packages']),
	created_at      timestamptz NOT NULL DEFAULT now(),
	CHECK (num_nonnulls(from_group_id, from_project_id) = 1)
);
CREATE UNIQUE INDEX job_token_allowlist_group ON job_token_allowlist (project_id, from_group_id)
	WHERE from_group_id IS NOT NULL;
CREATE UNIQUE INDEX job_token_allowlist_project ON job_token_allowlist (project_id, from_project_id)
	WHERE from_project_id IS NOT NULL;
