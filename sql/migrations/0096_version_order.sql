-- Packages in the order of their versions: by SemVer precedence, not letter by letter.
-- floor: 0056

-- A key that bytes compare as SemVer compares versions, of a version without build metadata.  A number
-- comes behind the count of its digits.  Of the rest of a key, `~` is a release, `0` begins a number of a
-- pre-release, `1` a word, and `!`, which is less than all that a word can have, ends a word.
-- step: transaction
CREATE FUNCTION version_order(version_base text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 100 AS $$
DECLARE
	core text := split_part(version_base, '-', 1);
	result text := '';
	part text;
BEGIN
	FOREACH part IN ARRAY string_to_array(core, '.') LOOP
		result := result || lpad(length(part)::text, 3, '0') || part;
	END LOOP;
	IF length(core) = length(version_base) THEN
		RETURN result || '~';
	END IF;
	FOREACH part IN ARRAY string_to_array(substr(version_base, length(core) + 2), '.') LOOP
		result := result || CASE WHEN part ~ '^[0-9]+$' THEN '0' || lpad(length(part)::text, 3, '0') || part
		                         ELSE '1' || part || '!' END;
	END LOOP;
	RETURN result;
END
$$;

-- step: index versions_listed_version_new
CREATE INDEX CONCURRENTLY versions_listed_version_new ON versions (project_id, version_order(version_base) COLLATE "C", id)
	WHERE status IN ('default', 'deprecated', 'error');

-- step: transaction
DROP INDEX versions_listed_version;
ALTER INDEX versions_listed_version_new RENAME TO versions_listed_version;
