-- nginx also answers pages by itself.
ALTER TABLE nginx_answers DROP CONSTRAINT nginx_answers_route_check,
	ADD CONSTRAINT nginx_answers_route_check
	CHECK (route IN ('index', 'config_json', 'download', 'page_crate', 'page_version'));
