-- A change of a crate that saw its project private told nobody, nor did it hold the project: made
-- public before the change was committed, files could be made of what was before, and stay.  So
-- the project is locked first, whatever it is, and looked at then: whoever makes it public waits.
CREATE OR REPLACE FUNCTION public_tell_crate(kind text, project bigint, name text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	is_public boolean;
BEGIN
	SELECT project_is_public(p) INTO is_public FROM projects p WHERE p.id = project FOR SHARE;
	IF is_public THEN
		PERFORM public_tell(kind || ' ' || project || ' ' || name);
	END IF;
END
$$;
