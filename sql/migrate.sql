-- The statements of `berth migrate`, which its own connection runs as the owner of the schema, unprepared
-- (fcgi/store/migrate).  Some of them run on a schema of an older program, or before there is one.

-- name: migrate_session
-- First on each connection.  A migration takes as long as it takes; the last two settings are of PostgreSQL
-- 14 and 17.
SET search_path = public, pg_temp; SET client_min_messages = warning;
SET standard_conforming_strings = on; SET statement_timeout = 0;
SELECT set_config(name, '0', false) FROM pg_settings
 WHERE name IN ('idle_session_timeout', 'transaction_timeout');

-- name: migrate_create
-- $1 database, $2 role or null.  In another database, as one who may create both: the statements that
-- create what is missing and close the database to others, in this order.  LC_CTYPE decides how a search
-- ignores case: C.UTF-8 knows all letters.
SELECT format(s.text, $1::text, $2::text) AS statement
  FROM (VALUES (1, 'CREATE ROLE %2$I LOGIN'),
               (2, 'CREATE DATABASE %1$I TEMPLATE template0 ENCODING ''UTF8'' LC_COLLATE ''C'''
                || ' LC_CTYPE ''C.UTF-8'''),
               (3, 'REVOKE ALL ON DATABASE %1$I FROM PUBLIC'),
               (4, 'GRANT CONNECT ON DATABASE %1$I TO %2$I')) s (n, text)
 WHERE CASE s.n WHEN 1 THEN NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $2::text)
                WHEN 2 THEN NOT EXISTS (SELECT FROM pg_database WHERE datname = $1::text)
                ELSE true END
   AND ($2::text IS NOT NULL OR s.n IN (2, 3))
 ORDER BY s.n;

-- name: migrate_lock
-- The number of the advisory lock must stay the same: "Berth".  Nobody waits for it inside a
-- statement: CREATE INDEX CONCURRENTLY would wait for that statement.
SELECT pg_try_advisory_lock(x'4265727468'::bigint) AS taken;

-- name: migrate_make_tables
-- An unconditional ALTER TABLE would block every session that connects.
CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, topic text NOT NULL,
       checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
DO $$ BEGIN
	IF NOT EXISTS (SELECT FROM pg_attribute WHERE attname = 'floor'
	               AND attrelid = 'schema_migrations'::regclass) THEN
		ALTER TABLE schema_migrations ADD COLUMN floor integer;
	END IF;
END $$;
CREATE TABLE IF NOT EXISTS schema_migration_steps (version integer, step integer, checksum text NOT NULL,
       PRIMARY KEY (version, step));

-- name: migrate_has_tables
-- From the catalogue: a plan makes no tables.
SELECT to_regclass('schema_migrations') IS NOT NULL AS there;

-- name: migrate_applied
-- All rows.  Works, too, on a table that an older program has made without a floor.
SELECT version, checksum, coalesce((to_jsonb(m) ->> 'floor')::bigint, version) AS floor
  FROM schema_migrations m ORDER BY version;

-- name: migrate_record
-- $1 version, $2 topic, $3 checksum, $4 floor.
INSERT INTO schema_migrations (version, topic, checksum, floor) VALUES ($1, $2, $3, $4);

-- name: migrate_steps
-- $1 version.  The steps that are done of a migration under way.
SELECT count(*) AS steps, coalesce(min(checksum), '') AS first, coalesce(max(checksum), '') AS last
  FROM schema_migration_steps WHERE version = $1;

-- name: migrate_record_step
-- $1 version, $2 step, $3 checksum.
INSERT INTO schema_migration_steps (version, step, checksum) VALUES ($1, $2, $3);

-- name: migrate_forget_steps
-- $1 version.
DELETE FROM schema_migration_steps WHERE version = $1;

-- name: migrate_audit
-- $1 action, $2 detail.
INSERT INTO audit_events (action, detail) VALUES ($1, $2::jsonb);

-- name: migrate_vacuum
-- Of a table that was written anew no page is known as visible to all, so that what indexes have is
-- looked up in its rows as well, and of a new column nothing is known.  By itself PostgreSQL would
-- turn to it after the next hundred thousands of rows.  What is locked just then is left to that.
VACUUM (ANALYZE, SKIP_LOCKED, TRUNCATE false) crates, versions, crate_search;

-- name: migrate_index
-- $1 name of an index, from the catalogue.
SELECT i.indisvalid AS valid, quote_ident(c.relname) AS quoted
  FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
 WHERE c.relname = $1 AND c.relnamespace = 'public'::regnamespace;

-- name: migrate_sizes
-- Each table, from the catalogue.
SELECT relname, greatest(reltuples, 0)::bigint AS tuples, pg_total_relation_size(oid) AS bytes
  FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace;

-- name: migrate_older_sessions
-- $1 what the schema has now, $2 what it needs of programs then.  A name is berth-fcgi/124, with the id of a
-- request behind it; older pools call their sessions `berth-fcgi: read worker/124`.
SELECT count(*) AS sessions,
       string_agg(DISTINCT substring(application_name from '^[^/: ]+'), ' and ') AS programs
  FROM pg_stat_activity
 WHERE datname = current_database()
   AND application_name ~ '^berth-(fcgi|worker)(: [a-z ]+)?(/[0-9]{1,9})?( [^ ]+)?$'
   AND coalesce(substring(application_name from '/([0-9]+)(?: |$)')::bigint, $1::bigint) < $2::bigint;

-- name: migrate_name_role
-- $1 role.  For the statements that follow in the transaction; no row if there is no such role.
SELECT set_config('berth.grant_to', rolname, true) FROM pg_roles WHERE rolname = $1;

-- name: migrate_name_grants
-- $1 the text of sql/grants.sql.  For migrate_grant.
SELECT set_config('berth.grants', $1, true);

-- name: migrate_grant_tables
-- The pool may use new tables at once, since triggers of its tables may need them; migrate_grant
-- gives the exact rights at the end.
DO $$ BEGIN
	EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO '
	    || quote_ident(current_setting('berth.grant_to'));
END $$;

-- name: migrate_grant
-- First takes everything away, by column as well, so that the outcome does not depend on earlier
-- rights.  PUBLIC loses what PostgreSQL before 15 gives it.  Identity columns need no right to their
-- sequences, unless a statement names the sequence.
DO $$ DECLARE
	role text := quote_ident(current_setting('berth.grant_to'));
	base text := quote_ident(current_database());
BEGIN
	EXECUTE 'REVOKE TEMPORARY ON DATABASE ' || base || ' FROM PUBLIC';
	EXECUTE 'REVOKE ALL ON DATABASE ' || base || ' FROM ' || role;
	EXECUTE 'GRANT CONNECT ON DATABASE ' || base || ' TO ' || role;
	EXECUTE 'REVOKE CREATE ON SCHEMA public FROM PUBLIC';
	EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM ' || role;
	EXECUTE 'REVOKE ALL ON SCHEMA public FROM ' || role;
	EXECUTE 'GRANT USAGE ON SCHEMA public TO ' || role;
	EXECUTE 'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ' || role;
	EXECUTE 'REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM ' || role;
	EXECUTE replace(current_setting('berth.grants'), ':role', role);
END $$;

-- name: migrate_is_safe
-- $1 role.  A row if it cannot create or drop: an owner or a superuser keeps every right, whatever is
-- revoked.
SELECT 1 WHERE NOT has_schema_privilege($1, 'public', 'CREATE')
   AND NOT has_database_privilege($1, current_database(), 'CREATE')
   AND NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace
                   AND pg_has_role($1, relowner, 'MEMBER'));

-- name: migrate_schema_is_foreign
-- $1 role.  A row if migrate_grant could not grant the role its rights in the schema public, since the caller
-- does not own it.  Before PostgreSQL 15 a superuser owns it, and every role may create objects there.  Not
-- for a role that owns the database or is a superuser, which has more rights anyway.
SELECT 1 FROM pg_namespace n WHERE n.nspname = 'public' AND NOT pg_has_role(n.nspowner, 'MEMBER')
   AND (has_schema_privilege($1, n.oid, 'CREATE') OR NOT has_schema_privilege($1, n.oid, 'USAGE'))
   AND NOT pg_has_role($1, (SELECT datdba FROM pg_database WHERE datname = current_database()), 'MEMBER');
