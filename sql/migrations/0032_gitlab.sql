-- CI systems that did not answer of late: until when nobody asks them again.

CREATE TABLE ci_outages (
	system   text PRIMARY KEY CHECK (system IN ('gitlab')),
	until_at timestamptz NOT NULL
);
