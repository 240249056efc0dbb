-- The names of a project.  A search for one or two letters, for which no trigram index serves, read the names
-- of all projects.  The worker writes these rows, not a publish.
-- floor: 0241

-- step: index crate_names_project
CREATE INDEX CONCURRENTLY crate_names_project ON crate_names (project_id);
