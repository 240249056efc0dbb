-- Tokens that ended long ago go, unless a version came by them or the audit log needs them to tell of
-- a job or place: found by these, which the key that versions have on tokens needs as well.
-- floor: 0056

-- step: index versions_token
CREATE INDEX CONCURRENTLY versions_token ON versions (token_id) WHERE token_id IS NOT NULL;

-- step: index audit_events_token
CREATE INDEX CONCURRENTLY audit_events_token ON audit_events (token_id) WHERE token_id IS NOT NULL;
