-- name: token_slot_live
-- The registry's id, and a row for each live slot, or one row without a slot.  Tables of a few rows; read
-- once on each connection.
SELECT r.id::text AS registry, s.slot, s.fingerprint
  FROM registry r LEFT JOIN token_slots s ON s.retired_at IS NULL;

-- name: token_slot_add
-- $1 slot, $2 fingerprint.  No row if the slot was ever used: the primary key decides.
INSERT INTO token_slots (slot, fingerprint) VALUES ($1, $2)
    ON CONFLICT (slot) DO NOTHING
RETURNING 0::bigint AS id, true AS changed;

-- name: token_slot_retire
-- $1 slot.  One row by primary key, locked before it is read; a retired slot keeps its time.
WITH old AS (SELECT slot, retired_at FROM token_slots WHERE slot = $1 FOR UPDATE)
UPDATE token_slots s SET retired_at = coalesce(s.retired_at, now()) FROM old WHERE s.slot = old.slot
RETURNING 0::bigint AS id, old.retired_at IS NULL AS changed;

-- name: token_slot_list
-- A few rows, for an administrator at a terminal.
SELECT s.slot, s.fingerprint, extract(epoch FROM s.created_at)::bigint AS created_at,
       extract(epoch FROM s.retired_at)::bigint AS retired_at
  FROM token_slots s ORDER BY s.created_at, s.slot;
