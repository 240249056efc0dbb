-- Keepers also hold files for addresses of downloads that were signed in one generation of access
-- (fcgi/access/signed_download.h): whoever ends it tells them, as whoever takes the ground of any
-- other file away does (0033_public.sql), and waits for them before it is answered.

-- `g`: what was signed so far may be void.
CREATE OR REPLACE FUNCTION access_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	-- once in a transaction, however many rows it changes
	IF coalesce(current_setting('berth.access_changed', true), '') = '' THEN
		UPDATE access_generation SET id = gen_random_uuid();
		PERFORM public_tell('g');
		PERFORM set_config('berth.access_changed', 'yes', true);
	END IF;
	RETURN NULL;
END
$$;

-- `c` of any project: what can be downloaded of the crate is, with a signature, there for those of
-- a private one as well.  `i` still of public ones alone.
CREATE OR REPLACE FUNCTION public_tell_crate(kind text, project bigint, name text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	is_public boolean;
BEGIN
	SELECT project_is_public(p) INTO is_public FROM projects p WHERE p.id = project FOR SHARE;
	IF is_public OR kind = 'c' THEN
		PERFORM public_tell(kind || ' ' || project || ' ' || name);
	END IF;
END
$$;
