-- The memberships of a user, in groups and in projects alike.  A statement that asks for both could use neither
-- members_group nor members_project, which have the memberships of one kind, and read the whole table.
-- floor: 0241

-- step: index members_user
CREATE INDEX CONCURRENTLY members_user ON members (user_id);
