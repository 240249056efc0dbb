-- A crate that has another project or name is not to be downloaded by the old one either: `c`, where
-- keepers were told only that its index file has changed.
CREATE OR REPLACE FUNCTION crates_tell_public() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public_tell_crate(CASE WHEN TG_OP = 'UPDATE' AND TG_NAME = 'crates_public' THEN 'i' ELSE 'c' END,
	    OLD.project_id, OLD.name);
	RETURN NULL;
END
$$;
