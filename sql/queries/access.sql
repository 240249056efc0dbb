-- part: caller
-- Token t and its user u, each of which may be missing, and whether the token is valid.  Only this part
-- decides that.  trust_rule_holds() reads the trust rule and its issuer by their primary keys.  Only a token
-- that a rule created needs it.  Where a token has no source, coalesce() gives false, so that PostgreSQL does
-- not call the function; after a null it would.
t.id AS token_id, t.kind, t.user_id, u.username,
CASE WHEN t.revoked_at IS NOT NULL THEN 1
     WHEN coalesce(t.source IN ('id_token', 'exchange'), false) AND NOT trust_rule_holds(t.trust_rule_id)
         THEN 1
     WHEN t.expires_at <= now() THEN 2
     WHEN u.state <> 'active' THEN 3
     WHEN t.checked_until <= now() THEN 4 ELSE 0 END AS state,
coalesce(u.is_admin, false) AS is_admin,
coalesce('api' = ANY (t.scopes), false) AS scope_api,
coalesce('read_api' = ANY (t.scopes), false) AS scope_read_api,
coalesce('read_package_registry' = ANY (t.scopes), false) AS scope_read_packages,
coalesce('write_package_registry' = ANY (t.scopes), false) AS scope_write_packages,
coalesce('create_job_token' = ANY (t.scopes), false) AS scope_create_job_token,
array_to_string(t.operations, ',') AS operations, array_to_string(t.crate_patterns, ',') AS crates

-- part: caller_at_project
-- What t may do in project p of group g; the project may be missing.  For the token of a job
-- job_token_policy() reads the allow-list of the project, if it is on: 2 if it lets the job's project
-- change packages, 1 if it lets the job's project read them; at most 200 entries, by
-- job_token_allowlist_project and job_token_allowlist_group.
coalesce(t.project_id = p.id OR t.group_id = ANY (g.ancestor_ids), false) AS in_namespace,
coalesce(CASE WHEN t.kind = 'job' AND NOT p.job_token_limited THEN 2 WHEN t.kind = 'job' THEN
    job_token_policy(p.id, t.project_id) END, 0) AS job_policy,
t.trust_rule_id,
p.id AS namespace_id, p.full_path, p.visibility, p.packages_enabled, p.public_packages

-- part: project_settings
-- The last columns.  Without a token the networks of the project and of its few groups are read, those of the
-- groups by primary key.
CASE WHEN t.id IS NULL THEN concat_ws(' ', p.anonymous_networks, group_networks(g.id))
     ELSE '' END AS networks, p.policy::text AS policy

-- part: caller_in_project
-- What t and u may do in project p of group g; the project may be missing.  The level is the highest of
-- the user's few memberships, by members_user.  crate_owners_user tells in one look-up whether the user
-- owns a crate of the project.  Flags: the few rows for all projects and those of this project, by
-- feature_flags_all and feature_flags_project.
@caller_at_project,
coalesce((SELECT max(m.access_level) FROM members m
           WHERE m.user_id = t.user_id
             AND (m.project_id = p.id OR m.group_id = ANY (g.ancestor_ids))
             AND (m.expires_at IS NULL OR m.expires_at > now())), 0) AS access_level,
EXISTS (SELECT FROM crate_owners k WHERE k.user_id = t.user_id AND k.project_id = p.id) AS owns_crate,
(SELECT string_agg(f.name || CASE WHEN f.project_id IS NULL THEN '=' ELSE ':' END || f.percentage, ' ')
   FROM feature_flags f WHERE f.project_id IS NULL OR f.project_id = p.id) AS flags,
@project_settings

-- part: asked_project
-- The project with the id $2, or else with the full path $3.
coalesce($2::bigint, (SELECT id FROM projects WHERE lower(full_path) = lower($3::text)))

-- part: asked_group
-- The group with the id $2, or else with the full path $3.
coalesce($2::bigint, (SELECT id FROM groups WHERE lower(full_path) = lower($3::text)))

-- part: flags_for_all
-- The flags that are set for all projects.
(SELECT string_agg(f.name || '=' || f.percentage, ' ') FROM feature_flags f WHERE f.project_id IS NULL)

-- name: access_facts
-- $1 digest of the token or null, $2 id of the project or null, $3 its full path or null.  All facts that
-- the decision needs, and the limits for publishes to the project, always in one row.  Each join is a
-- look-up by a unique index (tokens.digest, users.id, projects.id or projects.full_path, groups.id).
SELECT @caller, @caller_in_project
  FROM (SELECT $1::bytea AS digest, @asked_project AS project) q
  LEFT JOIN tokens t ON t.digest = q.digest
  LEFT JOIN users u ON u.id = t.user_id
  LEFT JOIN projects p ON p.id = q.project
  LEFT JOIN groups g ON g.id = p.group_id;

-- part: access_grounds
-- What the facts about token t and project p rest on, besides the time: the epoch, and the rows that can
-- change the facts without a new epoch.  A new version of a row has another xmin.  Further rights of a user
-- start no epoch: facts without them refuse too much, so whoever refuses by them reads them again.  Another
-- server, or the same one after a crash or from a backup, may have lost transactions, and use their numbers
-- again: the grounds hold in one session of one server alone.
concat_ws(' ', e.id, t.xmin, u.xmin, p.xmin, pg_backend_pid(), pg_postmaster_start_time())

-- part: access_ends
-- When token t or a membership of its user ends, or null.  The few memberships are found by members_user.
least(t.expires_at, t.checked_until,
    (SELECT min(m.expires_at) FROM members m WHERE m.user_id = t.user_id AND m.expires_at > now()))

-- name: access_facts_grounds
-- $1 digest of the token, $2 project.  As access_facts, with these columns after it: the grounds, and the
-- microseconds since 1970 of access_ends, or null.  While the grounds hold, the caller has lost no right, but
-- may have got further ones.  One statement, for the reason of cache_decide.  Look-ups as in access_facts, a
-- table of one row, and those of access_ends.
SELECT @caller, @caller_in_project,
       @access_grounds AS grounds, floor(extract(epoch FROM @access_ends) * 1000000)::bigint AS ends
  FROM access_epoch e
  LEFT JOIN tokens t ON t.digest = $1::bytea
  LEFT JOIN users u ON u.id = t.user_id
  LEFT JOIN projects p ON p.id = $2::bigint
  LEFT JOIN groups g ON g.id = p.group_id;

-- name: access_grounds_hold
-- $1 and $2 as in access_facts_grounds, $3 and $4 its grounds and ends.  One row if they still hold, for a
-- fraction of the time that access_facts takes.  A table of one row, and look-ups by unique indexes
-- (tokens.digest, users.id, projects.id).
SELECT true AS hold
  FROM access_epoch e, tokens t LEFT JOIN users u ON u.id = t.user_id, projects p
 WHERE t.digest = $1::bytea AND p.id = $2::bigint AND @access_grounds = $3
   AND coalesce(extract(epoch FROM now()) * 1000000 < $4::bigint, true);

-- part: cache_ground
-- Further facts on which a keeper's decision about t rests: see cache_decide.
e.id::text AS epoch,
CASE WHEN EXISTS (SELECT FROM token_slots s
                   WHERE s.slot = left(t.handle, 2) AND s.retired_at IS NULL
                     AND s.slot || ' ' || s.fingerprint = ANY ($3::text[]))
     THEN t.handle END AS handle,
floor(extract(epoch FROM @access_ends - now()) * 1000)::bigint AS lasts_ms

-- name: cache_decide
-- $1 digest of the token or null, $2 project, $3 slots of this node with their fingerprints.  A keeper
-- runs this.  As access_facts, with these columns after it: the epoch; the token's handle, if nginx can
-- check the token (its slot is live and has the same key here); and the milliseconds until the token or a
-- membership of its user ends, or null.  One statement, so that all of it is of one moment: if a
-- membership were added between two statements, the second would see the right, and the first would not
-- have seen its end.  Look-ups as in access_facts, a table of one row, the slot by its primary key, the
-- memberships by members_user.
SELECT @caller, @caller_in_project, @cache_ground
  FROM access_epoch e
  LEFT JOIN tokens t ON t.digest = $1::bytea
  LEFT JOIN users u ON u.id = t.user_id
  LEFT JOIN projects p ON p.id = $2::bigint
  LEFT JOIN groups g ON g.id = p.group_id;

-- part: has_public
-- Whether group d itself has a project that everybody may see.  One look-up in projects_public, however
-- many projects the group has: is the first entry from d on one of d?  With `group_id = d.id` the planner
-- would scan the projects if most of them are in one group.
(SELECT p.group_id = d.id FROM projects p
  WHERE p.group_id >= d.id AND p.packages_enabled AND (p.visibility = 'public' OR p.public_packages)
  ORDER BY p.group_id LIMIT 1)

-- part: has_internal
-- The same for projects that each user may see, by projects_internal.
(SELECT p.group_id = d.id FROM projects p
  WHERE p.group_id >= d.id AND p.packages_enabled AND p.visibility = 'internal'
  ORDER BY p.group_id LIMIT 1)

-- part: group_of_member
-- The group of membership m, or of its project, by primary key: a join would scan the projects.
coalesce(m.group_id, (SELECT p.group_id FROM projects p WHERE p.id = m.project_id))

-- part: caller_in_group
-- What t and u may do in group g, which may be missing.  A group has no visibility of its own: it is as
-- visible as the most visible project below it, and a member of anything below it may see it as if it were
-- internal.  The groups below are found by groups_ancestor_ids, the few memberships of the user by
-- members_user, and each search ends at its first row.  So the time does not depend
-- on what is private.
coalesce(t.group_id = ANY (g.ancestor_ids), false) AS in_namespace, 0 AS job_policy, t.trust_rule_id,
g.id AS namespace_id, g.full_path,
CASE WHEN EXISTS (SELECT FROM groups d WHERE d.ancestor_ids @> ARRAY[g.id] AND @has_public) THEN 'public'
     WHEN EXISTS (SELECT FROM groups d WHERE d.ancestor_ids @> ARRAY[g.id] AND @has_internal)
       OR EXISTS (SELECT FROM members m JOIN groups d ON d.id = @group_of_member
                   WHERE m.user_id = t.user_id AND (m.expires_at IS NULL OR m.expires_at > now())
                     AND d.ancestor_ids @> ARRAY[g.id]) THEN 'internal'
     ELSE 'private' END AS visibility,
true AS packages_enabled, false AS public_packages,
coalesce((SELECT max(m.access_level) FROM members m
           WHERE m.user_id = t.user_id AND m.group_id = ANY (g.ancestor_ids)
             AND (m.expires_at IS NULL OR m.expires_at > now())), 0) AS access_level,
false AS owns_crate,
@flags_for_all AS flags,
'' AS networks, NULL AS policy

-- name: access_facts_group
-- $1 digest of the token or null, $2 id of the group or null, $3 its full path or null.  As access_facts,
-- for a request about a group.
SELECT @caller, @caller_in_group
  FROM (SELECT $1::bytea AS digest, @asked_group AS place) q
  LEFT JOIN tokens t ON t.digest = q.digest
  LEFT JOIN users u ON u.id = t.user_id
  LEFT JOIN groups g ON g.id = q.place;

-- part: caller_in_view
-- The most that t and u may do in a project of group v or of a group below it: the facts for the registry
-- of the group, for a request that names no crate, or a crate that no project has.  If these facts refuse
-- a caller, every project refuses the caller, too; the converse is not true for jobs.  As in
-- caller_in_group, the time does not depend on what is private.
coalesce(t.group_id = ANY (v.ancestor_ids)
         OR EXISTS (SELECT FROM groups d
                     WHERE d.id = coalesce(t.group_id, (SELECT p.group_id FROM projects p
                                                        WHERE p.id = t.project_id))
                       AND d.ancestor_ids @> ARRAY[v.id]), false) AS in_namespace,
CASE WHEN t.kind = 'job' THEN 2 ELSE 0 END AS job_policy, t.trust_rule_id,
v.id AS namespace_id, v.full_path,
CASE WHEN EXISTS (SELECT FROM groups d WHERE d.ancestor_ids @> ARRAY[v.id] AND @has_public) THEN 'public'
     WHEN EXISTS (SELECT FROM groups d WHERE d.ancestor_ids @> ARRAY[v.id] AND @has_internal) THEN 'internal'
     ELSE 'private' END AS visibility,
true AS packages_enabled, false AS public_packages,
coalesce((SELECT max(m.access_level) FROM members m
           WHERE m.user_id = t.user_id AND (m.expires_at IS NULL OR m.expires_at > now())
             AND (m.group_id = ANY (v.ancestor_ids)
                  OR EXISTS (SELECT FROM groups d WHERE d.id = @group_of_member
                                AND d.ancestor_ids @> ARRAY[v.id]))), 0) AS access_level,
EXISTS (SELECT FROM crate_owners k JOIN projects p ON p.id = k.project_id JOIN groups d ON d.id = p.group_id
         WHERE k.user_id = t.user_id AND d.ancestor_ids @> ARRAY[v.id]) AS owns_crate,
@flags_for_all AS flags,
CASE WHEN t.id IS NULL THEN concat_ws(' ',
    (SELECT string_agg(a.anonymous_networks, ' ') FROM groups a WHERE a.id = ANY (v.ancestor_ids)),
    (SELECT string_agg(DISTINCT d.anonymous_networks, ' ') FROM groups d
      WHERE d.ancestor_ids @> ARRAY[v.id] AND d.anonymous_networks <> ''),
    (SELECT string_agg(DISTINCT p.anonymous_networks, ' ') FROM groups d JOIN projects p ON p.group_id = d.id
      WHERE d.ancestor_ids @> ARRAY[v.id] AND p.packages_enabled AND p.anonymous_networks <> ''))
     ELSE '' END AS networks, NULL AS policy

-- name: access_facts_view
-- $1 digest of the token or null, $2 id of the group or null, $3 its full path or null.  As access_facts,
-- for a request to the registry of a group that names no crate.
SELECT @caller, @caller_in_view
  FROM (SELECT $1::bytea AS digest, @asked_group AS place) q
  LEFT JOIN tokens t ON t.digest = q.digest
  LEFT JOIN users u ON u.id = t.user_id
  LEFT JOIN groups v ON v.id = q.place;

-- name: access_facts_view_name
-- $1 to $3 as in access_facts_view, $4 a name in normal form, $5 whether a new name goes to the group's
-- default project.  As access_facts, about the project of the group that has the name, with these columns
-- after it: the group, and whether a project has the name.  The few crates of that name are found by
-- crates_name.
SELECT @caller, @caller_in_project, v.id AS view_id, h.project_id IS NOT NULL AS has_name
  FROM (SELECT $1::bytea AS digest, @asked_group AS place, $4::text AS name) n
  LEFT JOIN tokens t ON t.digest = n.digest
  LEFT JOIN users u ON u.id = t.user_id
  LEFT JOIN groups v ON v.id = n.place
  LEFT JOIN LATERAL view_project(v.id, n.name) h ON true
  LEFT JOIN projects p ON p.id = coalesce(h.project_id, CASE WHEN $5::boolean THEN
       (SELECT o.id FROM projects o JOIN groups d ON d.id = o.group_id
         WHERE o.id = v.default_project_id AND d.ancestor_ids @> ARRAY[v.id]) END)
  LEFT JOIN groups g ON g.id = p.group_id;

-- name: cache_decide_view
-- $1 to $3 as in cache_decide, but $2 is a group.  As cache_decide, with a row for each project of the
-- group or of a group below it that has its packages switched on, or no row if there are more than $4: the
-- groups by groups_ancestor_ids, their projects by projects_group, which ends at the first project too
-- many.  Only then come the look-ups for each project, which take most of the time.
WITH below AS MATERIALIZED (
	SELECT p.id FROM groups g JOIN projects p ON p.group_id = g.id AND p.packages_enabled
	 WHERE g.ancestor_ids @> ARRAY[$2::bigint] LIMIT $4::bigint + 1
)
SELECT @caller, @caller_in_project, @cache_ground
  FROM access_epoch e
  LEFT JOIN tokens t ON t.digest = $1::bytea
  LEFT JOIN users u ON u.id = t.user_id
 CROSS JOIN below b
  JOIN projects p ON p.id = b.id
  JOIN groups g ON g.id = p.group_id
 WHERE (SELECT count(*) FROM below) <= $4;

-- name: access_facts_groups
-- $1 token or null, $2 groups, a page of them.  As access_facts_group, with a row for each group in that
-- order.
SELECT @caller, @caller_in_group
  FROM unnest($2::bigint[]) WITH ORDINALITY AS q (id, place)
  JOIN groups g ON g.id = q.id
  LEFT JOIN tokens t ON t.id = $1::bigint
  LEFT JOIN users u ON u.id = t.user_id
 ORDER BY q.place;

-- name: access_facts_listed
-- $1 token or null, $2 projects, a page of them.  As access_facts, with a row for each project in that
-- order.
SELECT @caller, @caller_in_project
  FROM unnest($2::bigint[]) WITH ORDINALITY AS q (id, place)
  JOIN projects p ON p.id = q.id
  JOIN groups g ON g.id = p.group_id
  LEFT JOIN tokens t ON t.id = $1::bigint
  LEFT JOIN users u ON u.id = t.user_id
 ORDER BY q.place;

-- part: caller_memberships
-- A user and the places where they are a member, by members_user: a few rows.
caller AS MATERIALIZED (
	SELECT u.id, u.is_admin FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.id = $1::bigint
), mine AS MATERIALIZED (
	SELECT m.group_id, m.project_id, m.access_level FROM caller c JOIN members m ON m.user_id = c.id
	 WHERE m.expires_at IS NULL OR m.expires_at > now()
)

-- name: access_facts_projects
-- $1 token or null, $2 group, $3 whether groups below it count as well.  As access_facts, with a row for
-- each project, to list the packages of a group: the groups by groups_ancestor_ids, their
-- projects by projects_group.  What caller_in_project looks up for a project is here read once: the
-- memberships of the user, the projects with crates of theirs, and the flags (a test compares the two).
-- Without a token, it leaves out projects that nobody may read without one, so that the time tells little
-- about them; access_decide() refuses them anyway.  Sorted by path.
WITH @caller_memberships, flagged AS MATERIALIZED (
	SELECT f.project_id,
	       string_agg(f.name || CASE WHEN f.project_id IS NULL THEN '=' ELSE ':' END || f.percentage, ' ')
	           AS flags
	  FROM feature_flags f GROUP BY f.project_id
)
SELECT @caller, @caller_at_project,
       coalesce((SELECT max(m.access_level) FROM mine m
                  WHERE m.project_id = p.id OR m.group_id = ANY (g.ancestor_ids)), 0) AS access_level,
       p.id IN (SELECT k.project_id FROM caller c JOIN crate_owners k ON k.user_id = c.id) AS owns_crate,
       nullif(concat_ws(' ', (SELECT o.flags FROM flagged o WHERE o.project_id IS NULL), f.flags), '')
           AS flags,
       @project_settings
  FROM groups g
  JOIN projects p ON p.group_id = g.id
  LEFT JOIN flagged f ON f.project_id = p.id
  LEFT JOIN tokens t ON t.id = $1::bigint
  LEFT JOIN users u ON u.id = t.user_id
 WHERE (g.id = $2::bigint OR ($3::boolean AND g.ancestor_ids @> ARRAY[$2]))
   AND ($1 IS NOT NULL OR p.visibility = 'public' OR p.public_packages OR p.anonymous_networks <> ''
        OR g.ancestor_ids && ARRAY(SELECT a.id FROM groups a WHERE a.anonymous_networks <> ''))
 ORDER BY lower(p.full_path), p.id;

-- name: access_facts_rules
-- $1 token of a job that a trust rule let in, $2 trust rules that fit the job, $3 for each of them, in
-- hexadecimal digits, the digest of the job's token in the project of the rule.  As access_facts, with a row
-- for each rule, about its project: the facts of that token or, as long as the job has none there, of the one
-- that it would get.  By primary keys and tokens_digest_key.
SELECT @caller, @caller_in_project
  FROM unnest($2::bigint[], $3::text[]) AS q (rule_id, digest)
  JOIN tokens o ON o.id = $1
  JOIN trust_rules r ON r.id = q.rule_id
  JOIN projects p ON p.id = r.project_id
  JOIN groups g ON g.id = p.group_id
  LEFT JOIN tokens k ON k.digest = decode(q.digest, 'hex')
 CROSS JOIN LATERAL
       (SELECT k.id, k.kind, k.user_id, k.revoked_at, k.source, k.trust_rule_id, k.expires_at,
               k.checked_until, k.scopes, k.project_id, k.group_id, k.operations, k.crate_patterns
         WHERE k.id IS NOT NULL
         UNION ALL
        SELECT o.id, o.kind, r.user_id, o.revoked_at, o.source, r.id, o.expires_at, o.checked_until,
               o.scopes, r.project_id, NULL, r.operations, r.crate_patterns
         WHERE k.id IS NULL) t
  LEFT JOIN users u ON u.id = t.user_id;

-- part: visible_projects
-- Project p of group g, if the caller, a user or nobody, may see it: the same as ACTION_READ_NAMESPACE of
-- access_decide(), which decides again for each project of a page (a test compares the two).  The project
-- must also match the request: $2 group or null for every project, $3 whether groups below it count as
-- well, $4 a part of the path in lower case or null, $5 visibility or null, $6 the lowest level that the
-- caller must have there, or 0.
projects p JOIN groups g ON g.id = p.group_id
 WHERE (p.visibility = 'public' OR (p.visibility = 'internal' AND EXISTS (SELECT FROM caller))
        OR EXISTS (SELECT FROM caller WHERE is_admin)
        OR p.id IN (SELECT project_id FROM mine WHERE project_id IS NOT NULL)
        OR g.ancestor_ids && ARRAY(SELECT group_id FROM mine WHERE group_id IS NOT NULL)
        OR p.id IN (SELECT k.project_id FROM caller c JOIN crate_owners k ON k.user_id = c.id))
   AND ($2::bigint IS NULL OR g.id = $2 OR ($3::boolean AND g.ancestor_ids @> ARRAY[$2]))
   AND ($4::text IS NULL OR strpos(lower(p.full_path), $4) > 0)
   AND ($5::text IS NULL OR p.visibility = $5)
   AND ($6::bigint = 0
        OR p.id IN (SELECT project_id FROM mine WHERE project_id IS NOT NULL AND access_level >= $6)
        OR g.ancestor_ids && ARRAY(SELECT group_id FROM mine WHERE group_id IS NOT NULL
                                   AND access_level >= $6))

-- name: access_projects_count
-- $1 token or null, $2 to $6 of visible_projects.  A scan that compares small sets, and stops when it has
-- counted 10001.
WITH @caller_memberships
SELECT count(*) AS total FROM (SELECT FROM @visible_projects LIMIT 10001) counted;

-- name: access_projects_page
-- As access_projects_count; $7 how many, $8 how many to skip.  A page in the order of paths:
-- projects_full_path, read up to the end of the page.
WITH @caller_memberships
SELECT p.id FROM @visible_projects ORDER BY lower(p.full_path) LIMIT $7::bigint OFFSET $8::bigint;

-- name: access_projects_page_desc
-- As access_projects_page, in reverse order.
WITH @caller_memberships
SELECT p.id FROM @visible_projects ORDER BY lower(p.full_path) DESC LIMIT $7::bigint OFFSET $8::bigint;

-- part: open_groups
-- Groups that the caller sees without being a member, since a project at any depth below them is visible:
-- a scan of the groups, with at most two look-ups for each, however many projects there are.
open AS MATERIALIZED (
	SELECT DISTINCT unnest(d.ancestor_ids) AS id FROM groups d
	 WHERE ($2::bigint IS NULL OR d.ancestor_ids @> ARRAY[$2])
	   AND (@has_public OR (EXISTS (SELECT FROM caller) AND @has_internal))
)

-- part: visible_groups
-- Group g, if the caller, a user or nobody, may see it: the same as ACTION_READ_NAMESPACE of
-- access_decide(), which decides again for each group of a page (a test compares the two).  The group must
-- also match the request: $2 a group above it, or null, $3 with $2 whether it must be directly below that
-- group, and without $2 whether it must have no group above it, $4 a part of the path in lower case or
-- null, $5 the lowest level that the caller must have there, or 0, $6 ids of groups to leave out.
groups g
 WHERE (EXISTS (SELECT FROM caller WHERE is_admin)
        OR g.ancestor_ids && ARRAY(SELECT group_id FROM mine WHERE group_id IS NOT NULL)
        OR g.id IN (SELECT id FROM open)
        OR g.id IN (SELECT unnest(d.ancestor_ids) FROM mine m JOIN groups d ON d.id = @group_of_member))
   AND CASE WHEN $3::boolean THEN g.parent_id IS NOT DISTINCT FROM $2::bigint
            ELSE $2 IS NULL OR (g.ancestor_ids @> ARRAY[$2] AND g.id <> $2) END
   AND ($4::text IS NULL OR strpos(lower(g.full_path), $4) > 0)
   AND ($5::bigint = 0
        OR g.ancestor_ids && ARRAY(SELECT group_id FROM mine WHERE group_id IS NOT NULL
                                   AND access_level >= $5))
   AND g.id <> ALL ($6::bigint[])

-- name: access_groups_count
-- $1 token or null, $2 to $6 of visible_groups.  A scan that compares small sets, and stops when it has
-- counted 10001.
WITH @caller_memberships, @open_groups
SELECT count(*) AS total FROM (SELECT FROM @visible_groups LIMIT 10001) counted;

-- name: access_groups_page
-- As access_groups_count; $7 how many, $8 how many to skip.  A page in the order of paths:
-- groups_full_path, read up to the end of the page.
WITH @caller_memberships, @open_groups
SELECT g.id FROM @visible_groups ORDER BY lower(g.full_path) LIMIT $7::bigint OFFSET $8::bigint;

-- name: access_groups_page_desc
-- As access_groups_page, in reverse order.
WITH @caller_memberships, @open_groups
SELECT g.id FROM @visible_groups ORDER BY lower(g.full_path) DESC LIMIT $7::bigint OFFSET $8::bigint;

-- part: viewer
-- User u, who may be missing, in the columns of a token: with a session in a browser a user may read what
-- a token of theirs with read_api may read.
LATERAL (SELECT -1::bigint AS id, 'personal' AS kind, u.id AS user_id, NULL::timestamptz AS revoked_at,
                NULL::text AS source, NULL::bigint AS trust_rule_id, NULL::timestamptz AS expires_at,
                NULL::timestamptz AS checked_until, '{read_api}'::text[] AS scopes,
                NULL::bigint AS project_id,
                NULL::bigint AS group_id, NULL::text[] AS operations, NULL::text[] AS crate_patterns
          WHERE u.id IS NOT NULL) t

-- name: access_facts_viewer
-- $1 user or null, $2 id of the project or null, $3 its full path or null.  As access_facts, for the
-- viewer of a page.
SELECT @caller, @caller_in_project
  FROM (SELECT $1::bigint AS viewer, @asked_project AS project) q
  LEFT JOIN users u ON u.id = q.viewer
  LEFT JOIN @viewer ON true
  LEFT JOIN projects p ON p.id = q.project
  LEFT JOIN groups g ON g.id = p.group_id;

-- name: access_facts_viewer_group
-- $1 user or null, $2 id of the group or null, $3 its full path or null.  As access_facts_group, for the
-- viewer of a page.
SELECT @caller, @caller_in_group
  FROM (SELECT $1::bigint AS viewer, @asked_group AS place) q
  LEFT JOIN users u ON u.id = q.viewer
  LEFT JOIN @viewer ON true
  LEFT JOIN groups g ON g.id = q.place;

-- name: access_facts_viewer_registries
-- $1 user or null.  As access_facts_viewer_group, with a row for each group that is set up as a registry,
-- if the viewer may see it by ACTION_READ_NAMESPACE of access_decide(), which decides again: the first 13
-- by path. A scan of the groups, and the look-ups for those that are set up.  OFFSET 0 keeps the planner
-- from copying the look-ups into each condition, where they would run once more.
SELECT f.*
  FROM (SELECT @caller, @caller_in_group
          FROM (SELECT $1::bigint AS viewer OFFSET 0) q
          LEFT JOIN users u ON u.id = q.viewer
          LEFT JOIN @viewer ON true
          JOIN groups g ON g.default_project_id IS NOT NULL OR g.registry_projects <> '{}'
        OFFSET 0) f
 WHERE f.visibility = 'public' OR f.is_admin
    OR (f.token_id IS NOT NULL AND (f.visibility = 'internal' OR f.access_level > 0))
 ORDER BY lower(f.full_path) LIMIT 13;

-- name: access_facts_viewer_listed
-- $1 user or null, $2 projects.  As access_facts_viewer, with a row for each project in that order.  OFFSET 0
-- hides the values from the planner; otherwise it would make a plan for each number of projects, which takes
-- longer than the statement.
SELECT @caller, @caller_in_project
  FROM (SELECT $1::bigint AS viewer, $2::bigint[] AS ids OFFSET 0) a
 CROSS JOIN LATERAL unnest(a.ids) WITH ORDINALITY AS q (id, place)
  JOIN projects p ON p.id = q.id
  JOIN groups g ON g.id = p.group_id
  LEFT JOIN users u ON u.id = a.viewer
  LEFT JOIN @viewer ON true
 ORDER BY q.place;
