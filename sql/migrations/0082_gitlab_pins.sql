-- Whom and what of a GitLab the users and projects here stand for, by the numbers that it has for them: kept
-- when a job comes for the first time, since a name can become somebody else's.
-- floor: 0056

CREATE TABLE gitlab_pins (
	gitlab     text NOT NULL,     -- its address
	kind       text NOT NULL CHECK (kind IN ('user', 'project')),
	gitlab_id  bigint NOT NULL,
	name       text NOT NULL,     -- there, at that time
	user_id    bigint REFERENCES users ON DELETE CASCADE,
	project_id bigint REFERENCES projects ON DELETE CASCADE,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (gitlab, kind, gitlab_id),
	CONSTRAINT gitlab_pins_kind CHECK ((user_id IS NOT NULL) = (kind = 'user')
	                                   AND (project_id IS NOT NULL) = (kind = 'project'))
);
CREATE UNIQUE INDEX gitlab_pins_user ON gitlab_pins (user_id, gitlab) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX gitlab_pins_project ON gitlab_pins (project_id, gitlab) WHERE project_id IS NOT NULL;
