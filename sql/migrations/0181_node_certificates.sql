-- floor: 0122
-- When the certificate of external_url expires, or one that it leads to, as the worker of a node last saw it.

CREATE TABLE node_certificates (
	node       text PRIMARY KEY,
	expires_at timestamptz NOT NULL,
	seen_at    timestamptz NOT NULL
);
