-- What the management API has beside berth(1).

-- The user name that goes with a deploy token, for clients that must send one; the token itself is
-- all that counts.
ALTER TABLE tokens
	ADD COLUMN login text CHECK (login ~ '^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,254}$'),
	ADD CONSTRAINT tokens_login CHECK (login IS NULL OR kind = 'deploy');
CREATE INDEX tokens_deploy_project ON tokens (project_id, id) WHERE kind = 'deploy';
CREATE INDEX tokens_deploy_group ON tokens (group_id, id) WHERE kind = 'deploy';

-- May only jobs of projects in the allow-list come in, or those of all?
ALTER TABLE projects ADD COLUMN job_token_limited boolean NOT NULL DEFAULT true;

-- Who is a member here?
CREATE INDEX members_of_group ON members (group_id, user_id) WHERE group_id IS NOT NULL;
CREATE INDEX members_of_project ON members (project_id, user_id) WHERE project_id IS NOT NULL;
