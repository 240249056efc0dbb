-- What lets a job of another CI system in takes part in the decision as well: a rule or an issuer that
-- goes, or that is switched off, is such a change (0012_access_generation).
--
-- checked_until: of a credential that another system has vouched for, when it is to be asked again.  To
-- put that off takes no right away from anybody, so that it does not count.

ALTER TABLE tokens ADD COLUMN checked_until timestamptz,
	ADD CONSTRAINT tokens_checked CHECK ((checked_until IS NOT NULL) = coalesce(source = 'gitlab', false));

CREATE CONSTRAINT TRIGGER access_changed AFTER DELETE ON trust_rules
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE CONSTRAINT TRIGGER access_changed AFTER DELETE OR UPDATE OF enabled ON trusted_issuers
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
