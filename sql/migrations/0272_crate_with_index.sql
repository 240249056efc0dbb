-- A publish writes the row of a new crate once, with its index file.
-- floor: 0241

-- The time of an index file: a hash of its bytes.
CREATE FUNCTION index_file_time(body bytea) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT coalesce(('x' || left(md5(body), 8))::bit(32)::bigint & 2147483647, 0)
$$;

-- Runs after each change of an index file, and where a crate comes with one.
CREATE OR REPLACE FUNCTION crates_tell_index() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.crates_due (crate_id) VALUES (NEW.id);
	-- of a new crate, OLD has no values
	IF (OLD.index_body IS NULL) <> (NEW.index_body IS NULL) THEN
		PERFORM pg_notify('berth_cache', 'v ' || a)
		   FROM public.projects p, public.groups g, unnest(g.ancestor_ids) a
		  WHERE p.id = NEW.project_id AND g.id = p.group_id;
	END IF;
	-- cache_tell() notes that this session has told the keepers something
	IF public.cache_tell('i ' || NEW.project_id || ' ' || NEW.name) IS NULL THEN
		RAISE 'cannot tell keepers of %', NEW.name;
	END IF;
	RETURN NULL;
END
$$;
DROP TRIGGER crates_cache_new ON crates;
DROP TRIGGER crates_views_new ON crates;
CREATE TRIGGER crates_index_new AFTER INSERT ON crates
	FOR EACH ROW WHEN (NEW.index_body IS NOT NULL) EXECUTE FUNCTION crates_tell_index();
