-- What is searched: of each crate that has a version to show, the one that is shown, and the words
-- of its name, keywords and description.  Written with the index file, by whoever changes a version,
-- so that a search neither sorts versions nor reads them.

DO $$
BEGIN
	CREATE EXTENSION IF NOT EXISTS pg_trgm;
	CREATE EXTENSION IF NOT EXISTS btree_gin;
EXCEPTION WHEN undefined_file OR feature_not_supported THEN
	RAISE EXCEPTION 'the extensions pg_trgm and btree_gin are needed, and are not installed here: on Debian they are in the package of the server, elsewhere often in postgresql-contrib';
WHEN insufficient_privilege THEN
	RAISE EXCEPTION 'the extensions pg_trgm and btree_gin are needed: run this as the owner of the database, or let a superuser say CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gin';
END
$$;

-- Names by all their parts, the rest by the stems of English; A counts most.
CREATE FUNCTION search_document(normalized_name text, keywords text[], description text)
RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
	SELECT setweight(to_tsvector('simple'::regconfig, replace(normalized_name, '-', ' ')), 'A')
	    || setweight(to_tsvector('simple'::regconfig, left(array_to_string(keywords, ' '), 1000)), 'B')
	    || setweight(to_tsvector('english'::regconfig, left(coalesce(description, ''), 1000)), 'C')
$$;

-- normalized_name in the order of bytes, so that what begins with something is a range.
CREATE TABLE crate_search (
	crate_id        bigint PRIMARY KEY,
	project_id      bigint NOT NULL,
	name            text NOT NULL,
	normalized_name text COLLATE "C" NOT NULL,
	max_version     text NOT NULL,
	description     text,
	document        tsvector NOT NULL,
	FOREIGN KEY (crate_id, project_id) REFERENCES crates (id, project_id) ON DELETE CASCADE
);
CREATE INDEX crate_search_name ON crate_search (project_id, normalized_name);
-- With the project in the same index, one with many crates does not slow down the others.
CREATE INDEX crate_search_words ON crate_search USING gin (project_id, document);
CREATE INDEX crate_search_trigrams ON crate_search USING gin (project_id, normalized_name gin_trgm_ops);

-- Those that are there: the highest version that is neither yanked nor a pre-release, else the
-- highest of what there is.  Identifiers of a pre-release compare as numbers where both are, below
-- words; as text that is their length first.
INSERT INTO crate_search (crate_id, project_id, name, normalized_name, max_version, description, document)
SELECT DISTINCT ON (c.id) c.id, c.project_id, c.name, c.normalized_name, v.version,
       left(v.description, 1000), search_document(c.normalized_name, v.keywords, v.description)
  FROM crates c JOIN versions v ON v.crate_id = c.id
 WHERE v.status IN ('default', 'deprecated')
 ORDER BY c.id, v.yanked, v.version_base LIKE '%-%',
       string_to_array(split_part(v.version_base, '-', 1), '.')::numeric[] DESC,
       ARRAY(SELECT CASE WHEN i.word ~ '^[0-9]+$' THEN '0' || lpad(i.word, 150, '0') ELSE '1' || i.word END COLLATE "C"
               FROM unnest(string_to_array(substring(v.version_base FROM '-(.*)$'), '.'))
                    WITH ORDINALITY AS i (word, place)
              ORDER BY i.place) DESC;
