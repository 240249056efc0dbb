-- A token and those that came in its place, one after the other, are a family: it has the id of the first.
-- When one that was replaced is shown again, two have it, and its successor ends.
-- floor: 0056

-- step: transaction
ALTER TABLE tokens ADD COLUMN family bigint;

-- step: index tokens_family
CREATE INDEX CONCURRENTLY tokens_family ON tokens (family, id) WHERE family IS NOT NULL;
