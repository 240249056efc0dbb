-- Who was given a crate reads its project, which ends with what is taken away: the workers that
-- remember them have to ask again.

CREATE CONSTRAINT TRIGGER access_changed AFTER UPDATE OR DELETE ON crate_owners
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
