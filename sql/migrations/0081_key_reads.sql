-- The keys of an issuer are read at once for a token whose key is not among them: so often a minute, counted
-- as other limits are.  So are changes, tokens and tokens of jobs: whoever may repeat a write may not do so
-- without bound.
-- floor: 0056

ALTER TABLE write_limits DROP CONSTRAINT write_limits_action_check,
	ADD CONSTRAINT write_limits_action_check
	CHECK (action IN ('new_crate', 'publish', 'yank', 'change', 'token', 'job_token', 'failed_login',
	                  'job_login', 'key_read'));
