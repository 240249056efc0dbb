-- Public reads without the application: each node's keeper writes what anyone may read into files,
-- which its nginx serves (fcgi/jobs/public_keeper.h).  Whatever takes such a file's ground away
-- tells all keepers, in the transaction that does it, so that a crash cannot come between.
-- replaces: d082b3f723c5e11daf7b3a1eefe98d24ba8a10ed90cbfd8ae659a7013fb7d702

-- step: transaction
-- What a file's modification time is made of, and so its ETag: it moves with each change, also
-- twice within a second, and is the same on all nodes.
ALTER TABLE crates
	ADD COLUMN index_time bigint NOT NULL DEFAULT extract(epoch FROM now())::bigint;

CREATE FUNCTION crates_move_index_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.index_time := greatest(OLD.index_time + 1, extract(epoch FROM now())::bigint);
	RETURN NEW;
END
$$;
CREATE TRIGGER crates_index_time BEFORE UPDATE OF index_body ON crates
	FOR EACH ROW EXECUTE FUNCTION crates_move_index_time();

-- step: transaction
-- The nodes that serve such files.  What is said here of a node holds until lease_until: before
-- that moment it may serve a file, and it has heard of all that was committed before transaction
-- `synced` had its number.
CREATE TABLE public_nodes (
	node        text PRIMARY KEY CHECK (node ~ '^[0-9a-f]{32}$'),
	host        text NOT NULL,
	synced      bigint NOT NULL,
	lease_until timestamptz NOT NULL
);

-- May anyone read the packages of a project?
CREATE FUNCTION project_is_public(p projects) RETURNS boolean LANGUAGE sql STABLE AS
	$$ SELECT p.packages_enabled AND (p.visibility = 'public' OR p.public_packages) $$;

-- Tells the keepers what to take away, at COMMIT, and this session that somebody has to hear of it.
CREATE FUNCTION public_tell(what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('berth_public', what);
	PERFORM set_config('berth.public_told', 'yes', false);
END
$$;

-- `i PROJECT NAME`: an index file has changed; `c PROJECT NAME`: so has what can be downloaded of
-- the crate.  The lock orders this with a change of the project: one that is about to become
-- public does so afterwards, when no file can be made any more of what was before.
CREATE FUNCTION public_tell_crate(kind text, project bigint, name text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM projects p WHERE p.id = project AND project_is_public(p) FOR SHARE;
	IF FOUND THEN
		PERFORM public_tell(kind || ' ' || project || ' ' || name);
	END IF;
END
$$;

CREATE FUNCTION crates_tell_public() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public_tell_crate(CASE TG_OP WHEN 'DELETE' THEN 'c' ELSE 'i' END, OLD.project_id, OLD.name);
	RETURN NULL;
END
$$;

-- step: transaction
CREATE TRIGGER crates_public AFTER UPDATE OF index_body OR DELETE ON crates
	FOR EACH ROW EXECUTE FUNCTION crates_tell_public();
CREATE TRIGGER crates_public_moved AFTER UPDATE OF project_id, name ON crates
	FOR EACH ROW WHEN ((OLD.project_id, OLD.name) <> (NEW.project_id, NEW.name))
	EXECUTE FUNCTION crates_tell_public();

-- step: transaction
CREATE FUNCTION versions_tell_public() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public_tell_crate('c', c.project_id, c.name) FROM crates c WHERE c.id = OLD.crate_id;
	RETURN NULL;
END
$$;
CREATE TRIGGER versions_public_deleted AFTER DELETE ON versions
	FOR EACH ROW EXECUTE FUNCTION versions_tell_public();
CREATE TRIGGER versions_public AFTER UPDATE OF status, cksum, version, crate_id ON versions
	FOR EACH ROW WHEN ((OLD.status, OLD.cksum, OLD.version, OLD.crate_id)
	    <> (NEW.status, NEW.cksum, NEW.version, NEW.crate_id))
	EXECUTE FUNCTION versions_tell_public();

-- step: transaction
-- `p PROJECT`: nothing of it may be served any more.
CREATE FUNCTION projects_tell_public() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF project_is_public(OLD) AND (TG_OP = 'DELETE' OR NOT project_is_public(NEW)) THEN
		PERFORM public_tell('p ' || OLD.id);
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER projects_public AFTER UPDATE OR DELETE ON projects
	FOR EACH ROW EXECUTE FUNCTION projects_tell_public();

-- step: transaction
-- `a`: nor of any project.  What is switched off for one is not there for anybody either; and what a
-- percentage stands for is the program's to say.
CREATE FUNCTION feature_flags_tell_public() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public_tell('a');
	RETURN NULL;
END
$$;
CREATE TRIGGER feature_flags_public AFTER INSERT OR UPDATE OR DELETE ON feature_flags
	FOR EACH STATEMENT EXECUTE FUNCTION feature_flags_tell_public();
