-- Job tokens that GitLab was asked about and does not know are counted apart from other credentials that
-- are not good: so many of either say nothing about the other.
-- floor: 0056

ALTER TABLE write_limits DROP CONSTRAINT write_limits_action_check,
	ADD CONSTRAINT write_limits_action_check
	CHECK (action IN ('new_crate', 'publish', 'yank', 'failed_login', 'job_login'));
