-- Makes the triggers of a publish faster: one trigger instead of three tells the keepers and the search, and
-- it evaluates expressions instead of queries.
-- floor: 0162

CREATE OR REPLACE FUNCTION cache_tell(what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	-- an expression: PERFORM would run a query for each function
	IF pg_notify('berth_cache', what) IS NULL OR set_config('berth.cache_told', 'yes', false) IS NULL THEN
		RAISE 'cannot tell keepers of %', what;
	END IF;
END
$$;

-- Runs after each change of an index file.  Keepers then remove the file; when a crate gets its first version
-- or loses its last one, also the files of the registries of its groups.  The task update_search finds the
-- crate.
CREATE FUNCTION crates_tell_index() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.crates_due (crate_id) VALUES (NEW.id);
	IF (OLD.index_body IS NULL) <> (NEW.index_body IS NULL) THEN
		PERFORM public.views_tell('v', p.group_id) FROM public.projects p WHERE p.id = NEW.project_id;
	END IF;
	IF public.cache_tell('i ' || OLD.project_id || ' ' || OLD.name) IS NULL THEN
		RAISE 'cannot tell keepers of %', OLD.name;
	END IF;
	RETURN NULL;
END
$$;
DROP TRIGGER crates_cache ON crates;
DROP TRIGGER crates_due ON crates;
DROP TRIGGER crates_views ON crates;
DROP FUNCTION crates_set_due();
CREATE TRIGGER crates_index AFTER UPDATE OF index_body ON crates
	FOR EACH ROW EXECUTE FUNCTION crates_tell_index();

CREATE OR REPLACE FUNCTION crates_tell_cache() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	IF TG_OP <> 'INSERT' THEN
		PERFORM cache_tell('c ' || OLD.project_id || ' ' || OLD.name);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM cache_tell('i ' || NEW.project_id || ' ' || NEW.name);
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER crates_cache_deleted AFTER DELETE ON crates
	FOR EACH ROW EXECUTE FUNCTION crates_tell_cache();

-- Only programs from before this migration leave the name to the trigger.
DROP TRIGGER versions_named ON versions;
CREATE TRIGGER versions_named BEFORE INSERT ON versions
	FOR EACH ROW WHEN (NEW.normalized_name IS NULL) EXECUTE FUNCTION versions_set_name();
