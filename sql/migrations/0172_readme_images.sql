-- floor: 0122
-- Whether the pages of a project's crates show images of other web servers, to which the README of a crate
-- may refer.  These servers learn who reads the page, so an owner decides.

ALTER TABLE projects ADD COLUMN readme_images boolean NOT NULL DEFAULT false;

-- Pages that nginx sends by itself are wrong after a change.
CREATE TRIGGER projects_cache_images AFTER UPDATE OF readme_images ON projects
	FOR EACH ROW WHEN (OLD.readme_images <> NEW.readme_images)
	EXECUTE FUNCTION projects_tell_cache();
