-- floor: 0162
-- When an import brought the version; its published_at is the time that the source has for it.  Before that
-- nobody could download it here.
ALTER TABLE versions ADD COLUMN imported_at timestamptz;
