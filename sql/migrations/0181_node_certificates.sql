-- floor: 0122
-- When the certificate of external_url, or one in its chain, expires, as the worker of each node last saw it.

CREATE TABLE node_certificates (
	node       text PRIMARY KEY,
	expires_at timestamptz NOT NULL,
	seen_at    timestamptz NOT NULL
);
