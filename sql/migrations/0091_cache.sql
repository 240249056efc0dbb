-- One cache for all reads: nginx sends what was allowed once, public and private alike, as long as a
-- grant holds (fcgi/cache/cache_keeper.h).  Whatever takes the ground of a file or a grant away tells
-- all keepers, in the transaction that does it, so that a crash cannot come between.
--
--	i PROJECT NAME	an index file has changed
--	c PROJECT NAME	so has what can be downloaded of the crate
--	p PROJECT	the project is deleted, or its config.json says something else
--	t HANDLE	one token is revoked, expires at another time, or may do something else
--	e		anything else that decisions rest on has changed: the epoch is another
--	s NUMBER	somebody waits for all nodes

ALTER TABLE public_nodes RENAME TO cache_nodes;

CREATE FUNCTION cache_tell(what text) RETURNS void LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	PERFORM pg_notify('berth_cache', what);
	PERFORM set_config('berth.cache_told', 'yes', false);
END
$$;

-- Files.  They say what a project holds and not who may read it, so they are told whatever the
-- visibility.
DROP TRIGGER crates_public ON crates;
DROP TRIGGER crates_public_moved ON crates;
DROP FUNCTION crates_tell_public();
CREATE FUNCTION crates_tell_cache() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	PERFORM cache_tell(CASE WHEN TG_OP = 'UPDATE' AND TG_NAME = 'crates_cache' THEN 'i' ELSE 'c' END
	    || ' ' || OLD.project_id || ' ' || OLD.name);
	RETURN NULL;
END
$$;
CREATE TRIGGER crates_cache AFTER UPDATE OF index_body OR DELETE ON crates
	FOR EACH ROW EXECUTE FUNCTION crates_tell_cache();
CREATE TRIGGER crates_cache_moved AFTER UPDATE OF project_id, name ON crates
	FOR EACH ROW WHEN ((OLD.project_id, OLD.name) <> (NEW.project_id, NEW.name))
	EXECUTE FUNCTION crates_tell_cache();

DROP TRIGGER versions_public_deleted ON versions;
DROP TRIGGER versions_public ON versions;
DROP FUNCTION versions_tell_public();
CREATE FUNCTION versions_tell_cache() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	PERFORM cache_tell('c ' || c.project_id || ' ' || c.name) FROM crates c WHERE c.id = OLD.crate_id;
	RETURN NULL;
END
$$;
CREATE TRIGGER versions_cache_deleted AFTER DELETE ON versions
	FOR EACH ROW EXECUTE FUNCTION versions_tell_cache();
CREATE TRIGGER versions_cache AFTER UPDATE OF status, cksum, version, crate_id ON versions
	FOR EACH ROW WHEN ((OLD.status, OLD.cksum, OLD.version, OLD.crate_id)
	    <> (NEW.status, NEW.cksum, NEW.version, NEW.crate_id))
	EXECUTE FUNCTION versions_tell_cache();

DROP TRIGGER projects_public ON projects;
DROP FUNCTION projects_tell_public();
CREATE FUNCTION projects_tell_cache() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	PERFORM cache_tell('p ' || OLD.id);
	RETURN NULL;
END
$$;
CREATE TRIGGER projects_cache_deleted AFTER DELETE ON projects
	FOR EACH ROW EXECUTE FUNCTION projects_tell_cache();
CREATE TRIGGER projects_cache AFTER UPDATE OF visibility, packages_enabled, public_packages ON projects
	FOR EACH ROW WHEN (project_is_public(OLD) <> project_is_public(NEW))
	EXECUTE FUNCTION projects_tell_cache();

-- Grants.  The epoch is another after each change of what decisions rest on; the trigger waits for
-- COMMIT, so that the one row is locked last and shortly.
DROP TRIGGER feature_flags_public ON feature_flags;
DROP FUNCTION feature_flags_tell_public();
CREATE OR REPLACE FUNCTION access_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	-- once in a transaction, however many rows it changes
	IF coalesce(current_setting('berth.access_changed', true), '') = '' THEN
		UPDATE access_generation SET id = gen_random_uuid();
		PERFORM cache_tell('e');
		PERFORM set_config('berth.access_changed', 'yes', true);
	END IF;
	RETURN NULL;
END
$$;
DROP FUNCTION public_tell_crate(text, bigint, text);
DROP FUNCTION public_tell(text);
CREATE CONSTRAINT TRIGGER access_changed AFTER UPDATE OR DELETE ON token_slots
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();

-- A change of one token ends its own grants alone: jobs whose tokens end every second empty nobody
-- else's cache.  One without a handle has none.
DROP TRIGGER access_changed ON tokens;
CREATE FUNCTION tokens_tell_cache() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	PERFORM cache_tell('t ' || OLD.handle);
	RETURN NULL;
END
$$;
CREATE TRIGGER tokens_cache AFTER DELETE OR
	UPDATE OF kind, digest, handle, user_id, group_id, project_id, scopes, expires_at, revoked_at,
	          crate_patterns, operations, trust_rule_id ON tokens
	FOR EACH ROW WHEN (OLD.handle IS NOT NULL) EXECUTE FUNCTION tokens_tell_cache();

-- The time of an index file is a hash of its bytes, so that nginx makes the same ETag of the same
-- bytes, on all nodes, after a failover and after another publish.
CREATE OR REPLACE FUNCTION crates_move_index_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.index_time := coalesce(('x' || left(md5(NEW.index_body), 8))::bit(32)::bigint & 2147483647, 0);
	RETURN NEW;
END
$$;

-- What is no ground of a decision ends no epoch: the name of a user, the path of a project.
DROP TRIGGER access_changed ON users;
CREATE CONSTRAINT TRIGGER access_changed AFTER DELETE OR UPDATE OF state, is_admin ON users
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
DROP TRIGGER access_changed ON groups;
CREATE CONSTRAINT TRIGGER access_changed AFTER DELETE OR UPDATE OF parent_id, ancestor_ids ON groups
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
DROP TRIGGER access_changed ON projects;
CREATE CONSTRAINT TRIGGER access_changed AFTER DELETE OR
	UPDATE OF group_id, visibility, packages_enabled, public_packages, job_token_limited ON projects
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
