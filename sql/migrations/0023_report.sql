-- Who has published, month by month, is told by the audit log.
-- replaces: f48636e9af2cb93996e91154885bd67634145a25f33663f83e01af4ad5fee9c4

-- step: index audit_events_publish
CREATE INDEX CONCURRENTLY audit_events_publish ON audit_events (at) WHERE action = 'crate.publish';
