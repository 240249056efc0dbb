-- How much the crates of a project, or of all projects in a group, may be.  A row is there only
-- where there is a quota, and then it knows how much is used: publishes and deletions count along
-- in their own transactions.  Where there is none nobody counts, and nobody waits for anybody.

CREATE TABLE quotas (
	id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	group_id      bigint REFERENCES groups (id) ON DELETE CASCADE,
	project_id    bigint REFERENCES projects (id) ON DELETE CASCADE,
	max_bytes     bigint CHECK (max_bytes >= 0),    -- NULL: no limit, as with the next two
	max_versions  bigint CHECK (max_versions >= 0),
	max_crates    bigint CHECK (max_crates >= 0),
	used_bytes    bigint NOT NULL DEFAULT 0,
	used_versions bigint NOT NULL DEFAULT 0,
	used_crates   bigint NOT NULL DEFAULT 0,
	CHECK (num_nonnulls(group_id, project_id) = 1)
);
CREATE UNIQUE INDEX quotas_group ON quotas (group_id) WHERE group_id IS NOT NULL;
CREATE UNIQUE INDEX quotas_project ON quotas (project_id) WHERE project_id IS NOT NULL;
