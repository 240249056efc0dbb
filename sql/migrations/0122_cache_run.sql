-- Which run of the server this is: a crash empties the table, and so does a failover, whose transaction numbers
-- may come again.

CREATE UNLOGGED TABLE cache_run (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	id  bigint NOT NULL
);
