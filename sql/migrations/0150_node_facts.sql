-- floor: 0122
-- What a node says of itself, so that others see whether they agree: `berth node list`.  A program of before says
-- nothing.

ALTER TABLE store_nodes
	ADD COLUMN version text,
	ADD COLUMN schema bigint,
	ADD COLUMN external_url text,
	ADD COLUMN keys text;
