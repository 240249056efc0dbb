-- Notices that the database was restored from a dump.  The row of store_state names the transaction that
-- wrote it.  A restore writes the row by another transaction and copies the old number: then the row no
-- longer tells the truth, until `berth store adopt` writes it anew (fcgi/store/store_mark.h).
-- A dump restores triggers after rows, so that the restore itself does not run this one.
-- floor: 0056

ALTER TABLE store_state ADD COLUMN written_by xid; -- NULL, or not the row's xmin: restored from a dump

UPDATE store_state SET written_by = pg_current_xact_id()::xid;

CREATE FUNCTION store_state_sign() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	IF OLD.written_by = OLD.xmin THEN
		NEW.written_by := pg_current_xact_id()::xid;
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER store_state_sign BEFORE UPDATE ON store_state FOR EACH ROW EXECUTE FUNCTION store_state_sign();
