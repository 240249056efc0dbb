-- People at the token page.  As with tokens, what a browser or a link holds is 256 random bits, of
-- which only the SHA-256 is here.

-- Each signs somebody in once.
CREATE TABLE sign_in_links (
	digest     bytea PRIMARY KEY CHECK (length(digest) = 32),
	user_id    bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL
);
CREATE INDEX sign_in_links_expires ON sign_in_links (expires_at);

CREATE TABLE sessions (
	digest     bytea PRIMARY KEY CHECK (length(digest) = 32),
	user_id    bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	by_sso     boolean NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_expires ON sessions (expires_at);
