-- floor: 0122
-- Whether the pages of a project's crates show images of other web servers, to which the README of a crate
-- may refer.  These servers learn who reads the page, so an owner decides.  The statement that changes the setting
-- also names visibility, so it begins a new epoch, and nginx sends no page of before.

ALTER TABLE projects ADD COLUMN readme_images boolean NOT NULL DEFAULT false;
