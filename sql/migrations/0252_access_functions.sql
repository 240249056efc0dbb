-- Functions for the parts of the access check that few callers need.  PostgreSQL prepares all
-- subqueries of a statement in each run, even those that it skips; it prepares the queries of a function only
-- when it calls it.
-- floor: 0241

-- Whether a trust rule still lets tokens exist.
CREATE FUNCTION trust_rule_holds(rule bigint) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
	RETURN EXISTS (SELECT FROM trust_rules r JOIN trusted_issuers i ON i.id = r.issuer_id
	                WHERE r.id = rule AND i.enabled);
END
$$;

-- What the allow-list of a project lets the jobs of another project do: 2: change packages, 1: read them;
-- null: nothing.
CREATE FUNCTION job_token_policy(project bigint, job_project bigint) RETURNS integer
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
	RETURN (SELECT max(CASE WHEN 'admin_packages' = ANY (a.policies) THEN 2 ELSE 1 END)
	          FROM job_token_allowlist a
	         WHERE a.project_id = project
	           AND (a.from_project_id = job_project
	                OR a.from_group_id = ANY ((SELECT o.ancestor_ids
	                                             FROM projects f JOIN groups o ON o.id = f.group_id
	                                            WHERE f.id = job_project)::bigint[])));
END
$$;

-- From where tools without a token may read what is in a group and in those above it.
CREATE FUNCTION group_networks(place bigint) RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
	RETURN (SELECT string_agg(a.anonymous_networks, ' ')
	          FROM groups g JOIN groups a ON a.id = ANY (g.ancestor_ids) WHERE g.id = place);
END
$$;
