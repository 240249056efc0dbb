-- name: registry_lock
-- Waits for another berth apply or --if-missing, and keeps later ones waiting, until the transaction ends:
-- "Berta".  Each statement after it sees what the other one has committed.
SELECT pg_advisory_xact_lock(x'4265727461'::bigint)::text AS locked;
