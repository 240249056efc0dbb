-- People, places, tokens, crates: everything but the crate bytes.
-- Times are timestamptz; ids are bigint identities; enumerations are text with a check, so
-- that a later migration can add a word without rewriting a table.

CREATE TABLE users (
	id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	username    text NOT NULL CHECK (username ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$'),
	name        text NOT NULL DEFAULT '',
	email       text NOT NULL DEFAULT '',
	is_admin    boolean NOT NULL DEFAULT false,
	state       text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'blocked')),
	created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_username ON users (lower(username));

-- ancestor_ids holds the group's own id and those of all groups above it: a member of any
-- of them is a member here, and one index look-up finds the highest level.
CREATE TABLE groups (
	id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	parent_id    bigint REFERENCES groups (id),
	path         text NOT NULL CHECK (path ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$'),
	full_path    text NOT NULL,
	ancestor_ids bigint[] NOT NULL,
	created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX groups_full_path ON groups (lower(full_path));

CREATE TABLE projects (
	id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	group_id         bigint NOT NULL REFERENCES groups (id),
	path             text NOT NULL CHECK (path ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$'),
	full_path        text NOT NULL,
	visibility       text NOT NULL DEFAULT 'private'
	                 CHECK (visibility IN ('private', 'internal', 'public')),
	packages_enabled boolean NOT NULL DEFAULT true,
	public_packages  boolean NOT NULL DEFAULT false,
	created_at       timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX projects_full_path ON projects (lower(full_path));

CREATE TABLE members (
	user_id      bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	group_id     bigint REFERENCES groups (id) ON DELETE CASCADE,
	project_id   bigint REFERENCES projects (id) ON DELETE CASCADE,
	access_level integer NOT NULL CHECK (access_level IN (10, 20, 30, 40, 50)),
	expires_at   timestamptz,
	created_at   timestamptz NOT NULL DEFAULT now(),
	CHECK (num_nonnulls(group_id, project_id) = 1)
);
CREATE UNIQUE INDEX members_group ON members (user_id, group_id) WHERE group_id IS NOT NULL;
CREATE UNIQUE INDEX members_project ON members (user_id, project_id) WHERE project_id IS NOT NULL;

-- The secret itself is never here: digest is its SHA-256.
CREATE TABLE tokens (
	id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind         text NOT NULL CHECK (kind IN ('personal', 'deploy', 'job')),
	digest       bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
	name         text NOT NULL DEFAULT '',
	user_id      bigint REFERENCES users (id) ON DELETE CASCADE,
	group_id     bigint REFERENCES groups (id) ON DELETE CASCADE,
	project_id   bigint REFERENCES projects (id) ON DELETE CASCADE,
	scopes       text[] NOT NULL,
	created_at   timestamptz NOT NULL DEFAULT now(),
	expires_at   timestamptz,
	revoked_at   timestamptz,
	last_used_at timestamptz,
	CHECK (kind <> 'personal' OR (user_id IS NOT NULL AND num_nonnulls(group_id, project_id) = 0))
);
CREATE INDEX tokens_user ON tokens (user_id);

-- index_body is the crate's whole index file, gzip-compressed; it is rebuilt inside each
-- transaction that changes a version, with this row locked.
CREATE TABLE crates (
	id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	project_id      bigint NOT NULL REFERENCES projects (id),
	name            text NOT NULL CHECK (name ~ '^[A-Za-z][A-Za-z0-9_-]{0,63}$'),
	normalized_name text NOT NULL CHECK (normalized_name = replace(lower(name), '_', '-')),
	index_body      bytea,
	index_etag      text,
	index_revision  bigint NOT NULL DEFAULT 0,
	created_at      timestamptz NOT NULL DEFAULT now(),
	updated_at      timestamptz NOT NULL DEFAULT now(),
	UNIQUE (project_id, normalized_name)
);
-- The body is compressed already: do not try again, keep it out of the row.
ALTER TABLE crates ALTER COLUMN index_body SET STORAGE EXTERNAL;

CREATE TABLE blobs (
	sha256    text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
	size      bigint NOT NULL CHECK (size >= 0),
	stored_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE versions (
	id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	crate_id      bigint NOT NULL REFERENCES crates (id),
	version       text NOT NULL CHECK (char_length(version) <= 150),
	version_base  text NOT NULL,
	index_line    text NOT NULL,
	cksum         text NOT NULL REFERENCES blobs (sha256),
	size          bigint NOT NULL,
	yanked        boolean NOT NULL DEFAULT false,
	status        text NOT NULL DEFAULT 'default'
	              CHECK (status IN ('default', 'hidden', 'processing', 'error', 'pending_destruction', 'deprecated')),
	published_at  timestamptz NOT NULL,
	user_id       bigint REFERENCES users (id),
	token_id      bigint REFERENCES tokens (id),
	description   text,
	homepage      text,
	documentation text,
	repository    text,
	license       text,
	license_file  text,
	links         text,
	rust_version  text,
	edition       text,
	readme        text,
	readme_file   text,
	authors       text[] NOT NULL DEFAULT '{}',
	keywords      text[] NOT NULL DEFAULT '{}',
	categories    text[] NOT NULL DEFAULT '{}',
	bins          text[] NOT NULL DEFAULT '{}',
	has_lib       boolean NOT NULL DEFAULT false,
	features      jsonb NOT NULL DEFAULT '{}',
	UNIQUE (crate_id, version_base)
);
CREATE INDEX versions_cksum ON versions (cksum);

-- One row each, so that reverse dependencies are a query.
CREATE TABLE dependencies (
	id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	version_id       bigint NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
	name             text NOT NULL,
	normalized_name  text NOT NULL,
	alias            text,
	req              text NOT NULL,
	target           text,
	registry         text,
	kind             text NOT NULL CHECK (kind IN ('normal', 'build', 'dev')),
	optional         boolean NOT NULL,
	default_features boolean NOT NULL,
	features         text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX dependencies_version ON dependencies (version_id);
CREATE INDEX dependencies_reverse ON dependencies (normalized_name);

-- Who did what; the pool may add to it and never change it.
CREATE TABLE audit_events (
	id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at          timestamptz NOT NULL DEFAULT now(),
	action      text NOT NULL,
	user_id     bigint,
	token_id    bigint,
	project_id  bigint,
	crate       text,
	version     text,
	remote_addr text,
	request_id  text,
	detail      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_events_project ON audit_events (project_id, id);
