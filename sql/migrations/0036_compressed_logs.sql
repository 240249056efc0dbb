-- A log that was compressed gets no new line: when the last one was counted it is finished, and
-- needs not be read again.

ALTER TABLE download_logs ADD COLUMN finished_at timestamptz;
