-- Who has rights on one crate besides those whose role in its project gives them: they read the
-- project's packages, and publish, yank and unyank that crate.  project_id is the crate's, which
-- never changes: with it one look-up tells whether somebody has a crate in a project at all.

CREATE TABLE crate_owners (
	crate_id   bigint NOT NULL,
	user_id    bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	project_id bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (crate_id, user_id),
	FOREIGN KEY (crate_id, project_id) REFERENCES crates (id, project_id) ON DELETE CASCADE
);
CREATE INDEX crate_owners_user ON crate_owners (user_id, project_id);

-- Members of one place, where until now only the places of one member were asked for.
CREATE INDEX members_in_group ON members (group_id, access_level) WHERE group_id IS NOT NULL;
CREATE INDEX members_in_project ON members (project_id, access_level) WHERE project_id IS NOT NULL;
