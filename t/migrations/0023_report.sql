-- Who has published, month by month, is told by the audit log.

CREATE INDEX audit_events_publish ON audit_events (at) WHERE action = 'crate.publish';
