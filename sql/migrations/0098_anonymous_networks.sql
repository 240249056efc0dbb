-- Networks from which the files of a project, or of all projects below a group, may be read without a
-- token: words as base/cidr.h reads them, with a blank between.  The program compares the addresses, since
-- inet keeps ::ffff:192.0.2.1 apart from 192.0.2.1.
-- floor: 0095

ALTER TABLE projects ADD COLUMN anonymous_networks text NOT NULL DEFAULT '';
ALTER TABLE groups ADD COLUMN anonymous_networks text NOT NULL DEFAULT '';

-- Grants of addresses end with the epoch, as all that rests on places does.
CREATE CONSTRAINT TRIGGER access_changed_networks AFTER UPDATE OF anonymous_networks ON projects
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE CONSTRAINT TRIGGER access_changed_networks AFTER UPDATE OF anonymous_networks ON groups
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
