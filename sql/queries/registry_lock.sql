-- name: registry_lock
-- Waits until no other `berth apply` or command with --if-missing holds the lock, and holds it until the
-- transaction ends.  The number of the lock means nothing; no other lock has it.  Each statement after this
-- one sees what the other command has committed.
SELECT pg_advisory_xact_lock(x'4265727461'::bigint)::text AS locked;
