-- The trigger of an index file reads the groups above a new crate in one query, and calls no function for
-- each of them.
-- floor: 0241

CREATE OR REPLACE FUNCTION crates_tell_index() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.crates_due (crate_id) VALUES (NEW.id);
	IF (OLD.index_body IS NULL) <> (NEW.index_body IS NULL) THEN
		PERFORM pg_notify('berth_cache', 'v ' || a)
		   FROM public.projects p, public.groups g, unnest(g.ancestor_ids) a
		  WHERE p.id = NEW.project_id AND g.id = p.group_id;
	END IF;
	-- cache_tell() notes that this session has told the keepers something
	IF public.cache_tell('i ' || OLD.project_id || ' ' || OLD.name) IS NULL THEN
		RAISE 'cannot tell keepers of %', OLD.name;
	END IF;
	RETURN NULL;
END
$$;
