-- nginx of a node also counts the errors that it made itself.
-- floor: 0241
ALTER TABLE nginx_answers DROP CONSTRAINT nginx_answers_route_check,
	ADD CONSTRAINT nginx_answers_route_check
	CHECK (route IN ('index', 'config_json', 'download', 'page_crate', 'page_version', 'error'));
