-- What nginx has answered by itself, by node and route, as its log of the cache tells; download_logs has how
-- far each log was read.  It only ever grows, as counters of monitoring do.

CREATE TABLE nginx_answers (
	node    text NOT NULL,
	route   text NOT NULL CHECK (route IN ('index', 'config_json', 'download')),
	answers bigint NOT NULL,
	PRIMARY KEY (node, route)
);
