-- The registry of a group: all crates of the projects below it, under one index URL.  Which project a name
-- stands for is the same for all callers: that which comes first in registry_projects, and of the others that
-- whose crate was made first.  New names go to default_project_id.
-- floor: 0124

-- step: transaction
ALTER TABLE groups ADD COLUMN registry_projects bigint[] NOT NULL DEFAULT '{}';
ALTER TABLE groups ADD COLUMN default_project_id bigint REFERENCES projects (id) ON DELETE SET NULL;

-- The project that has a name, in normal form, in the registry of a group.  Crates without a version count
-- last: what is published under their names goes to their projects.  One row, or none; the planner takes
-- the function apart.
CREATE FUNCTION view_project(place bigint, crate text) RETURNS TABLE (project_id bigint) LANGUAGE sql STABLE AS $$
	SELECT w.project_id
	  FROM groups v, crates w JOIN projects o ON o.id = w.project_id JOIN groups d ON d.id = o.group_id
	 WHERE v.id = place AND w.normalized_name = crate AND d.ancestor_ids @> ARRAY[v.id]
	 ORDER BY w.index_body IS NULL, array_position(v.registry_projects, o.id), w.id
	 LIMIT 1
$$;

-- Views: what keepers have of the registry of a group, for all callers who may read each project below it.
--
--	v GROUP	a name may stand for another project or for none
--	w GROUP	the same, and somebody may read less of the group

-- Of a group and all those above it.
CREATE FUNCTION views_tell(what text, place bigint) RETURNS void LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	PERFORM cache_tell(what || ' ' || a.id) FROM groups g, unnest(g.ancestor_ids) AS a (id) WHERE g.id = place;
END
$$;

-- A crate comes or goes where its first version does, or its last.
CREATE FUNCTION crates_tell_views() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	IF TG_OP <> 'INSERT' THEN
		PERFORM views_tell('v', p.group_id) FROM projects p WHERE p.id = OLD.project_id;
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM views_tell('v', p.group_id) FROM projects p WHERE p.id = NEW.project_id;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER crates_views_new AFTER INSERT ON crates
	FOR EACH ROW WHEN (NEW.index_body IS NOT NULL) EXECUTE FUNCTION crates_tell_views();
CREATE TRIGGER crates_views AFTER UPDATE OF index_body ON crates
	FOR EACH ROW WHEN ((OLD.index_body IS NULL) <> (NEW.index_body IS NULL))
	EXECUTE FUNCTION crates_tell_views();
CREATE TRIGGER crates_views_moved AFTER UPDATE OF project_id, name, normalized_name ON crates
	FOR EACH ROW WHEN ((OLD.project_id, OLD.name) <> (NEW.project_id, NEW.name))
	EXECUTE FUNCTION crates_tell_views();
CREATE TRIGGER crates_views_deleted AFTER DELETE ON crates
	FOR EACH ROW EXECUTE FUNCTION crates_tell_views();

CREATE FUNCTION projects_tell_views() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	IF TG_OP <> 'INSERT' THEN
		PERFORM views_tell('w', OLD.group_id);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM views_tell('w', NEW.group_id);
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER projects_views_new AFTER INSERT OR DELETE ON projects
	FOR EACH ROW EXECUTE FUNCTION projects_tell_views();
CREATE TRIGGER projects_views AFTER UPDATE OF group_id, visibility, packages_enabled, public_packages ON projects
	FOR EACH ROW WHEN ((OLD.group_id, OLD.visibility, OLD.packages_enabled, OLD.public_packages)
	    <> (NEW.group_id, NEW.visibility, NEW.packages_enabled, NEW.public_packages))
	EXECUTE FUNCTION projects_tell_views();

CREATE FUNCTION groups_tell_views() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	PERFORM cache_tell('w ' || a.id) FROM unnest(OLD.ancestor_ids) AS a (id);
	IF TG_OP = 'UPDATE' THEN
		PERFORM cache_tell('w ' || a.id) FROM unnest(NEW.ancestor_ids) AS a (id);
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER groups_views AFTER DELETE OR UPDATE OF ancestor_ids ON groups
	FOR EACH ROW EXECUTE FUNCTION groups_tell_views();

CREATE FUNCTION groups_tell_order() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	PERFORM cache_tell('v ' || NEW.id);
	RETURN NULL;
END
$$;
CREATE TRIGGER groups_views_order AFTER UPDATE OF registry_projects ON groups
	FOR EACH ROW WHEN (OLD.registry_projects <> NEW.registry_projects) EXECUTE FUNCTION groups_tell_order();

-- Which projects have a name: a few rows.
-- step: index crates_name
CREATE INDEX CONCURRENTLY crates_name ON crates (normalized_name);
