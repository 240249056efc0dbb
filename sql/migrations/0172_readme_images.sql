-- floor: 0122
-- Whether the pages of a project's crates show images of other web servers, to which the README of a crate
-- may refer.  These servers learn who reads the page, so an owner decides.  The statement that changes it names
-- visibility as well, so it begins a new epoch, and no page that nginx sends by itself is wrong.

ALTER TABLE projects ADD COLUMN readme_images boolean NOT NULL DEFAULT false;
