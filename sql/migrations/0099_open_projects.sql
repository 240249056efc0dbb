-- Whether a group has a project that everybody sees, or every user: one look into an index for each group,
-- however many private projects it has.
-- floor: 0095

-- step: index projects_public
CREATE INDEX CONCURRENTLY projects_public ON projects (group_id)
	WHERE packages_enabled AND (visibility = 'public' OR public_packages);

-- step: index projects_internal
CREATE INDEX CONCURRENTLY projects_internal ON projects (group_id)
	WHERE packages_enabled AND visibility = 'internal';
