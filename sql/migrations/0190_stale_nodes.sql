-- floor: 0162
-- stale_s: for how many seconds after its lease a node may be in stale mode (fcgi/cache/cache_stale.h).  A
-- writer at another node does not wait for this, and its answer names the node.

ALTER TABLE cache_nodes ADD COLUMN stale_s bigint NOT NULL DEFAULT 0;
