-- Work that nobody waits for, done by berth-worker(8).  A row is one job: it waits until run_at,
-- is claimed by one worker at a time, and goes when it is done, unless it has a period.  One that
-- has failed too often is dead, and stays to be looked at.

CREATE TABLE jobs (
	id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind          text NOT NULL,
	key           text,                     -- of one kind no two wait with the same
	node          text,                     -- the only node that may run it; NULL: any
	period        integer CHECK (period > 0), -- seconds from one run to the next; NULL: it runs once
	args          jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(args) = 'object'),
	runs          bigint NOT NULL DEFAULT 0,  -- ever begun: tells one claim from the next
	attempts      integer NOT NULL DEFAULT 0, -- since it last got on
	again         boolean NOT NULL DEFAULT false, -- was asked for once more while it runs
	run_at        timestamptz NOT NULL DEFAULT now(),
	created_at    timestamptz NOT NULL DEFAULT now(),
	done_at       timestamptz,              -- of one with a period: when it was last done
	dead_at       timestamptz CHECK (dead_at IS NULL OR period IS NULL),
	error         text,                     -- what was wrong at the last attempt
	-- Who runs it, and until when at the latest.  Where its connection is gone nobody does.
	claimed_until timestamptz,
	claimed_by    text,
	backend_pid   integer,
	backend_start timestamptz
);
CREATE INDEX jobs_due ON jobs (run_at, id) WHERE dead_at IS NULL;
CREATE UNIQUE INDEX jobs_key ON jobs (kind, key) WHERE dead_at IS NULL;
