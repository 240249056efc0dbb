-- To decide whether a group may be known, only projects that are not private matter: of those that are,
-- however many there are below a group, nothing is read, so that the time tells nothing of them.
-- floor: 0101

-- step: index projects_open
CREATE INDEX CONCURRENTLY projects_open ON projects (group_id)
	WHERE packages_enabled AND (visibility = 'public' OR visibility = 'internal' OR public_packages);
