-- Keepers also hold index files for callers whom the pool has let in (fcgi/store/kept_index.h), of any
-- project: what becomes of a crate in a private one they have to hear of, too.  The lock is that of
-- 0034_public_lock.sql.
CREATE OR REPLACE FUNCTION public_tell_crate(kind text, project bigint, name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM projects p WHERE p.id = project FOR SHARE;
	PERFORM public_tell(kind || ' ' || project || ' ' || name);
END
$$;
