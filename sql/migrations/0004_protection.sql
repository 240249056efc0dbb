-- Which names of a project's crates only some may publish under.  A pattern is compared in the
-- normal form of a name; name_like is what LIKE takes for it: `*` stands for any characters, and
-- what LIKE gives a meaning to stands for itself.  Levels are those of members, and 60 for
-- administrators.

CREATE TABLE protection_rules (
	id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	project_id           bigint NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
	package_name_pattern text NOT NULL CHECK (octet_length(package_name_pattern) BETWEEN 1 AND 255),
	normalized_pattern   text NOT NULL
	                     CHECK (normalized_pattern = replace(lower(package_name_pattern), '_', '-')),
	name_like            text NOT NULL GENERATED ALWAYS AS (replace(replace(replace(replace(
	                     normalized_pattern, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%')) STORED,
	minimum_access_level_for_push   integer CHECK (minimum_access_level_for_push IN (40, 50, 60)),
	minimum_access_level_for_delete integer CHECK (minimum_access_level_for_delete IN (50, 60)),
	created_at           timestamptz NOT NULL DEFAULT now(),
	CHECK (num_nonnulls(minimum_access_level_for_push, minimum_access_level_for_delete) > 0),
	UNIQUE (project_id, normalized_pattern)
);
