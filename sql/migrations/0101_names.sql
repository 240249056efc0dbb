-- The names that the programs have for these: a task is work in the background, and a job always one of
-- CI; a rate limit is one for reads of keys and bad credentials as well; grants are of an epoch.
-- Programs before this migration do not know the new names: stop them first.

ALTER TABLE jobs RENAME TO tasks;
ALTER SEQUENCE jobs_id_seq RENAME TO tasks_id_seq;
ALTER INDEX jobs_pkey RENAME TO tasks_pkey;
ALTER INDEX jobs_due RENAME TO tasks_due;
ALTER INDEX jobs_key RENAME TO tasks_key;

ALTER TABLE write_limits RENAME TO rate_limits;
ALTER INDEX write_limits_pkey RENAME TO rate_limits_pkey;
ALTER INDEX write_limits_full RENAME TO rate_limits_full;
ALTER TABLE rate_limits RENAME CONSTRAINT write_limits_action_check TO rate_limits_action_check;

ALTER TABLE access_generation RENAME TO access_epoch;
ALTER INDEX access_generation_single RENAME TO access_epoch_single;
CREATE OR REPLACE FUNCTION access_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	-- once in a transaction, however many rows it changes
	IF coalesce(current_setting('berth.access_changed', true), '') = '' THEN
		UPDATE access_epoch SET id = gen_random_uuid();
		PERFORM cache_tell('e');
		PERFORM set_config('berth.access_changed', 'yes', true);
	END IF;
	RETURN NULL;
END
$$;
