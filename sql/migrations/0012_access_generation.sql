-- Workers of the pool remember whom they have let in, and ask with each read whether that still
-- holds.  It does for as long as the one value here is the same: whoever changes anything that a
-- decision could rest on changes it too, in the same transaction, so that nobody ever sees one
-- without the other.  It is no number, which could come again after a failover that has lost some.
--
-- Rows that are added take no right away from anybody, and a token's last use none either: these
-- do not count.  The trigger waits for COMMIT, so that the one row is locked last and shortly.

CREATE TABLE access_generation (id uuid NOT NULL DEFAULT gen_random_uuid());
CREATE UNIQUE INDEX access_generation_single ON access_generation ((true));
INSERT INTO access_generation DEFAULT VALUES;
ANALYZE access_generation;

CREATE FUNCTION access_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	-- once in a transaction, however many rows it changes
	IF coalesce(current_setting('berth.access_changed', true), '') = '' THEN
		UPDATE access_generation SET id = gen_random_uuid();
		PERFORM set_config('berth.access_changed', 'yes', true);
	END IF;
	RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER access_changed AFTER UPDATE OR DELETE ON users
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE CONSTRAINT TRIGGER access_changed AFTER UPDATE OR DELETE ON groups
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE CONSTRAINT TRIGGER access_changed AFTER UPDATE OR DELETE ON projects
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE CONSTRAINT TRIGGER access_changed AFTER UPDATE OR DELETE ON members
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE CONSTRAINT TRIGGER access_changed AFTER UPDATE OR DELETE ON job_token_allowlist
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE CONSTRAINT TRIGGER access_changed AFTER DELETE OR
	UPDATE OF kind, digest, user_id, group_id, project_id, scopes, expires_at, revoked_at,
	          crate_patterns, operations ON tokens
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
