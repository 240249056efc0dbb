-- A keeper also marks crates that do not exist, so that nginx can say so: it must hear of each crate that
-- comes.  crates_cache tells when an index file is written; this tells where a row comes with one, and where
-- a crate gets another project or name, under which it may have been marked.
-- floor: 0095

CREATE OR REPLACE FUNCTION crates_tell_cache() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	IF TG_OP <> 'INSERT' THEN
		PERFORM cache_tell(CASE WHEN TG_OP = 'UPDATE' AND TG_NAME = 'crates_cache' THEN 'i' ELSE 'c' END
		    || ' ' || OLD.project_id || ' ' || OLD.name);
	END IF;
	IF TG_OP <> 'DELETE' AND TG_NAME <> 'crates_cache' THEN
		PERFORM cache_tell('i ' || NEW.project_id || ' ' || NEW.name);
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER crates_cache_new AFTER INSERT ON crates
	FOR EACH ROW WHEN (NEW.index_body IS NOT NULL) EXECUTE FUNCTION crates_tell_cache();
