-- CI systems elsewhere: whose identity tokens are believed, which of their jobs a project trusts, and
-- what came of that.

-- audience '': external_url of the configuration.  jwks_url '': as the issuer's discovery document
-- says.  jwks is the set of keys as it was read last; jwks_claimed_at is when somebody last set out to
-- read it, so that all workers together do it once a minute, and jwks_failed_at when it was in vain.
CREATE TABLE trusted_issuers (
	id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	url             text NOT NULL UNIQUE CHECK (url ~ '^https://' AND octet_length(url) <= 1024),
	kind            text NOT NULL CHECK (kind IN ('gitlab', 'github', 'gitea', 'generic')),
	audience        text NOT NULL DEFAULT '',
	jwks_url        text NOT NULL DEFAULT '',
	enabled         boolean NOT NULL DEFAULT true,
	created_at      timestamptz NOT NULL DEFAULT now(),
	jwks            text,
	jwks_fetched_at timestamptz,
	jwks_claimed_at timestamptz,
	jwks_failed_at  timestamptz
);

-- claims: { "claim": "pattern" }.  owner_id: of whom the repository was when the rule was first used.
-- user_id: for whom the jobs act; null: for nobody, as developers of the project.
CREATE TABLE trust_rules (
	id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	project_id     bigint NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
	issuer_id      bigint NOT NULL REFERENCES trusted_issuers (id) ON DELETE CASCADE,
	claims         jsonb NOT NULL CHECK (jsonb_typeof(claims) = 'object'),
	owner_id       text,
	crate_patterns text[] CHECK (array_to_string(crate_patterns, ',', '?')
	               ~ '^([a-z][a-z0-9-]{0,63}\*?|\*)(,([a-z][a-z0-9-]{0,63}\*?|\*))*$'),
	operations     text[] NOT NULL CHECK (cardinality(operations) > 0
	               AND operations <@ ARRAY['publish-new', 'publish-update', 'yank', 'owners']),
	user_id        bigint REFERENCES users (id) ON DELETE CASCADE,
	created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX trust_rules_project ON trust_rules (project_id, issuer_id, id);
CREATE INDEX trust_rules_issuer ON trust_rules (issuer_id);

-- Each identity token comes in once.  digest is SHA-256 of what makes it this one; it stays for
-- longer than the token is good for.
CREATE TABLE used_id_tokens (
	digest   bytea PRIMARY KEY CHECK (length(digest) = 32),
	until_at timestamptz NOT NULL
);
CREATE INDEX used_id_tokens_until ON used_id_tokens (until_at);

-- What another CI system has said no to, by the SHA-256 of the credential, so that it is not asked
-- again and again.
CREATE TABLE refused_job_tokens (
	digest   bytea PRIMARY KEY CHECK (length(digest) = 32),
	until_at timestamptz NOT NULL
);
CREATE INDEX refused_job_tokens_until ON refused_job_tokens (until_at);

-- Jobs of other systems.  source: how the token came here; null for what berth(1) has made.
--   id_token  digest is that of an identity token, which is sent as the credential
--   exchange  made in exchange for an identity token
--   gitlab    digest is that of a CI_JOB_TOKEN, good until GitLab is to be asked again
--   service   made by a CI system through the API
-- Those of the first two are good only while their rule and its issuer are.  user_id null: the job
-- acts for no user.
ALTER TABLE tokens
	ADD COLUMN source        text CHECK (source IN ('id_token', 'exchange', 'gitlab', 'service')),
	ADD COLUMN issuer        text,
	ADD COLUMN claims        jsonb,
	ADD COLUMN trust_rule_id bigint REFERENCES trust_rules (id) ON DELETE SET NULL,
	DROP CONSTRAINT tokens_job,
	ADD CONSTRAINT tokens_job CHECK (kind <> 'job'
		OR (group_id IS NULL AND project_id IS NOT NULL AND expires_at IS NOT NULL
		    AND (issuer IS NOT NULL
		         OR (user_id IS NOT NULL AND pipeline IS NOT NULL AND job IS NOT NULL)))),
	DROP CONSTRAINT tokens_of_no_job,
	ADD CONSTRAINT tokens_of_no_job CHECK (kind = 'job'
		OR num_nonnulls(pipeline, job, job_url, ref, commit, source, issuer, claims,
		                trust_rule_id) = 0),
	DROP CONSTRAINT tokens_limits,
	ADD CONSTRAINT tokens_limits CHECK (num_nonnulls(crate_patterns, operations) = 0
		OR kind = 'personal' OR coalesce(source IN ('id_token', 'exchange'), false));
CREATE INDEX tokens_trust_rule ON tokens (trust_rule_id) WHERE trust_rule_id IS NOT NULL;
