-- floor: 0162
-- For how many seconds after its lease a node may go on without the database (fcgi/cache/cache_stale.h): whoever
-- changes something elsewhere does not wait for it, and says so.

ALTER TABLE cache_nodes ADD COLUMN stale_s bigint NOT NULL DEFAULT 0;
