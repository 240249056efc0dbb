-- How much each actor has written of late.  A bucket is one moment: when it will be full again.
-- What is taken puts that moment off, time passes towards it, and a bucket whose moment has come is
-- as good as none, so that its row may go at any time.  Size and speed are the configuration's.

CREATE TABLE write_limits (
	actor   text NOT NULL,        -- user:7, token:9 of a token without a user, address:203.0.113.7
	action  text NOT NULL CHECK (action IN ('new_crate', 'publish', 'yank', 'failed_login')),
	granted boolean NOT NULL,     -- the answer to who asked last
	full_at timestamptz NOT NULL,
	PRIMARY KEY (actor, action)
);
-- For the sweep of those that are full.
CREATE INDEX write_limits_full ON write_limits (full_at);
