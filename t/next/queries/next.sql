-- name: next_note
-- Needs the table and the column that only the later build's schema has, and so does not prepare
-- without them.  Two look-ups by primary keys.
SELECT c.noted_at, n.note FROM crates c LEFT JOIN crate_notes n ON n.crate_id = c.id WHERE c.id = $1;
