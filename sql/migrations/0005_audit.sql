-- The audit log is read in the order of time, all of it or that of one project, person or crate;
-- and nobody changes or removes a row by accident, not even the owner of the table.  (Who owns it
-- can still switch the trigger off, which is then a thing that was done on purpose.)

DROP INDEX audit_events_project;
CREATE INDEX audit_events_at ON audit_events (at, id);
CREATE INDEX audit_events_project ON audit_events (project_id, at, id);
CREATE INDEX audit_events_user ON audit_events (user_id, at, id);
CREATE INDEX audit_events_crate ON audit_events ((replace(lower(crate), '_', '-')), at, id)
	WHERE crate IS NOT NULL;

CREATE FUNCTION audit_events_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'rows of audit_events are never changed or removed'
		USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
	FOR EACH STATEMENT EXECUTE FUNCTION audit_events_refuse();
