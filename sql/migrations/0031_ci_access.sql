-- What lets a job of another CI system in takes part in the decision as well: a rule or an issuer that
-- goes, or that is switched off, is such a change (0012_access_generation).
--
-- checked_until: of a credential that another system has vouched for, when it is to be asked again.  To
-- put that off takes no right away from anybody, so that it does not count.
-- replaces: d6f9a16be9c914ae571fd4e19751102916f1ce0010091b157bd2243a5ad82836

-- step: transaction
ALTER TABLE tokens ADD COLUMN checked_until timestamptz;
-- those that are there are asked again when they end
UPDATE tokens SET checked_until = expires_at WHERE source = 'gitlab';
ALTER TABLE tokens ADD CONSTRAINT tokens_checked
	CHECK ((checked_until IS NOT NULL) = coalesce(source = 'gitlab', false)) NOT VALID;

-- step: transaction
ALTER TABLE tokens VALIDATE CONSTRAINT tokens_checked;

-- step: transaction
CREATE CONSTRAINT TRIGGER access_changed AFTER DELETE ON trust_rules
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();

-- step: transaction
CREATE CONSTRAINT TRIGGER access_changed AFTER DELETE OR UPDATE OF enabled ON trusted_issuers
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
