-- floor: 0056
-- Nodes that use the store: each leaves a file there, and looks for those of the others
-- (fcgi/store/store_node.h).  One that is not seen for a while is none.

CREATE TABLE store_nodes (
	node    text PRIMARY KEY CHECK (length(node) BETWEEN 1 AND 255),
	since   timestamptz NOT NULL,
	seen_at timestamptz NOT NULL
);
