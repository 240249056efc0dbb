-- Tokens that name themselves
-- A token made with a key begins with its slot and its handle, and ends in a MAC under the slot's key:
-- nginx can check such a token, and a keeper can name what it has granted to it.
-- floor: 0060

-- The slots of token_key (berth.conf) that were ever used.  A slot is never used again, so its row
-- stays.  The key itself is in the file alone; the fingerprint is its SHA-256.
CREATE TABLE token_slots (
	slot        text PRIMARY KEY CHECK (slot ~ '^[0-9a-z]{2}$'),
	fingerprint text NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
	created_at  timestamptz NOT NULL DEFAULT now(),
	retired_at  timestamptz
);

-- Slot and handle, as they stand in the token's text.  A handle is random and belongs to one secret
-- for ever: unlike an id it does not come again after a restore.  Null: a token of the older form, or
-- one of another system.
ALTER TABLE tokens
	ADD COLUMN handle text CONSTRAINT tokens_handle_form CHECK (handle ~ '^[0-9a-z]{2}[0-9A-Za-z]{16}$');
CREATE UNIQUE INDEX tokens_handle ON tokens (handle) WHERE handle IS NOT NULL;
