-- What is below a group is asked for by whoever reads all of it at once.

CREATE INDEX groups_ancestor_ids ON groups USING gin (ancestor_ids);
CREATE INDEX projects_group ON projects (group_id);
