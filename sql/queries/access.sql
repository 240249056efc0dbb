-- part: caller
-- Who has token t and user u, of which there may be none, and whether the token counts: a decision
-- that is made here and nowhere else.  Only for one that a trust rule has let in, rule and issuer are
-- looked at, by their primary keys.
t.id AS token_id, t.kind, t.user_id, u.username,
CASE WHEN t.revoked_at IS NOT NULL THEN 1
     WHEN t.source IN ('id_token', 'exchange') AND NOT EXISTS
          (SELECT FROM trust_rules r JOIN trusted_issuers i ON i.id = r.issuer_id
            WHERE r.id = t.trust_rule_id AND i.enabled) THEN 1
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

-- part: caller_in_project
-- What t and u may have to do with project p of group g, of which there may be none.  The level is
-- the highest of the few memberships of one user, found by members_group and members_project, and
-- whether they were given a crate of the project is one look-up in crate_owners_user.
-- Only for the token of a job the project's allow-list is looked at, if it counts: 2 where it lets
-- the job's project change packages, 1 where it lets it read them: at most 200 entries by
-- job_token_allowlist_project and job_token_allowlist_group.  Flags: the few rows for all projects
-- and those of this one, by feature_flags_all and feature_flags_project.  Only without a token the networks
-- of the project and its few groups are read, these by primary keys.
coalesce(t.project_id = p.id OR t.group_id = ANY (g.ancestor_ids), false) AS in_namespace,
coalesce(CASE WHEN t.kind = 'job' AND NOT p.job_token_limited THEN 2 WHEN t.kind = 'job' THEN
    (SELECT max(CASE WHEN 'admin_packages' = ANY (a.policies) THEN 2 ELSE 1 END)
       FROM job_token_allowlist a
      WHERE a.project_id = p.id
        AND (a.from_project_id = t.project_id
             OR a.from_group_id = ANY ((SELECT o.ancestor_ids
                                          FROM projects f JOIN groups o ON o.id = f.group_id
                                         WHERE f.id = t.project_id)::bigint[]))) END, 0) AS job_policy,
t.trust_rule_id,
p.id AS namespace_id, p.full_path, p.visibility, p.packages_enabled, p.public_packages,
coalesce((SELECT max(m.access_level) FROM members m
           WHERE m.user_id = t.user_id
             AND (m.project_id = p.id OR m.group_id = ANY (g.ancestor_ids))
             AND (m.expires_at IS NULL OR m.expires_at > now())), 0) AS access_level,
EXISTS (SELECT FROM crate_owners k WHERE k.user_id = t.user_id AND k.project_id = p.id) AS owns_crate,
(SELECT string_agg(f.name || CASE WHEN f.project_id IS NULL THEN '=' ELSE ':' END || f.percentage, ' ')
   FROM feature_flags f WHERE f.project_id IS NULL OR f.project_id = p.id) AS flags,
CASE WHEN t.id IS NULL THEN concat_ws(' ', p.anonymous_networks,
    (SELECT string_agg(a.anonymous_networks, ' ') FROM groups a WHERE a.id = ANY (g.ancestor_ids)))
     ELSE '' END AS networks, p.policy::text AS policy

-- name: access_facts
-- $1 digest of the token or null, $2 id of the project or null, $3 its full path or null.
-- All that the decision needs, in one row, always one row, and what may be published into the project.  Each
-- join is a look-up by a unique index (tokens.digest, users.id, projects.id or projects.full_path, groups.id).
SELECT @caller, @caller_in_project
  FROM (SELECT $1::bytea AS digest,
               coalesce($2::bigint, (SELECT id FROM projects WHERE lower(full_path) = lower($3::text))) AS project) q
  LEFT JOIN tokens t ON t.digest = q.digest
  LEFT JOIN users u ON u.id = t.user_id
  LEFT JOIN projects p ON p.id = q.project
  LEFT JOIN groups g ON g.id = p.group_id;

-- part: cache_ground
-- What a decision of a keeper about t rests on besides: see cache_decide.
e.id::text AS epoch,
CASE WHEN EXISTS (SELECT FROM token_slots s
                   WHERE s.slot = left(t.handle, 2) AND s.retired_at IS NULL
                     AND s.slot || ' ' || s.fingerprint = ANY ($3::text[]))
     THEN t.handle END AS handle,
floor(extract(epoch FROM least(t.expires_at, t.checked_until,
    (SELECT min(m.expires_at) FROM members m
      WHERE m.user_id = t.user_id AND m.expires_at > now())) - now()) * 1000)::bigint AS lasts_ms

-- name: cache_decide
-- $1 digest of the token or null, $2 project, $3 slots of this node with their fingerprints.  By a keeper:
-- as access_facts, and behind it the epoch, the token's handle where nginx can check it (its slot is live
-- and has the same key here), and the milliseconds until the token or a membership of its user ends, or
-- null.  One statement, so that all of it is of one moment: of a membership that came between two
-- statements the second would know the right, and the first not the end.  Look-ups as in access_facts, a
-- table of one row, the slot by its primary key, the memberships by members_group and members_project.
SELECT @caller, @caller_in_project, @cache_ground
  FROM access_epoch e
  LEFT JOIN tokens t ON t.digest = $1::bytea
  LEFT JOIN users u ON u.id = t.user_id
  LEFT JOIN projects p ON p.id = $2::bigint
  LEFT JOIN groups g ON g.id = p.group_id;

-- part: has_public
-- Is there a project in group d itself that everybody sees?  One look into projects_public, however many
-- projects the group has: is the first entry from d on one of d?  Asked for `group_id = d.id` the planner
-- takes a scan of the projects where most of them are in one group.
(SELECT p.group_id = d.id FROM projects p
  WHERE p.group_id >= d.id AND p.packages_enabled AND (p.visibility = 'public' OR p.public_packages)
  ORDER BY p.group_id LIMIT 1)

-- part: has_internal
-- The same for each user, by projects_internal.
(SELECT p.group_id = d.id FROM projects p
  WHERE p.group_id >= d.id AND p.packages_enabled AND p.visibility = 'internal'
  ORDER BY p.group_id LIMIT 1)

-- part: group_of_member
-- The group of membership m, or of its project, by primary key: a join would scan the projects.
coalesce(m.group_id, (SELECT p.group_id FROM projects p WHERE p.id = m.project_id))

-- part: caller_in_group
-- What t and u may have to do with group g, of which there may be none.  A group has no visibility of
-- its own: it is as visible as the most visible project below it, and whoever is a member of anything
-- below it may know of it as of something internal.  The groups below are found by
-- groups_ancestor_ids, the memberships of the user by members_group and members_project, a few rows, and
-- each search ends at the first that is found.  So the time it takes does not depend on what is private.
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
(SELECT string_agg(f.name || '=' || f.percentage, ' ') FROM feature_flags f WHERE f.project_id IS NULL) AS flags,
'' AS networks, NULL AS policy

-- name: access_facts_group
-- $1 digest of the token or null, $2 id of the group or null, $3 its full path or null.
-- As access_facts, for what is about a group.
SELECT @caller, @caller_in_group
  FROM (SELECT $1::bytea AS digest,
               coalesce($2::bigint, (SELECT id FROM groups WHERE lower(full_path) = lower($3::text))) AS place) q
  LEFT JOIN tokens t ON t.digest = q.digest
  LEFT JOIN users u ON u.id = t.user_id
  LEFT JOIN groups g ON g.id = q.place;

-- part: caller_in_view
-- What t and u may do at most in a project of group v, or of a group below it: the facts of the registry of
-- the group where it is about no name, or about one that no project has.  Who may do something in none of
-- the projects is refused by these facts as well; that somebody may do it in one of them does not follow,
-- for jobs.  As in caller_in_group the time it takes does not depend on what is private.
coalesce(t.group_id = ANY (v.ancestor_ids)
         OR EXISTS (SELECT FROM groups d
                     WHERE d.id = coalesce(t.group_id, (SELECT p.group_id FROM projects p WHERE p.id = t.project_id))
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
(SELECT string_agg(f.name || '=' || f.percentage, ' ') FROM feature_flags f WHERE f.project_id IS NULL) AS flags,
CASE WHEN t.id IS NULL THEN
    (SELECT string_agg(a.anonymous_networks, ' ') FROM groups a WHERE a.id = ANY (v.ancestor_ids))
     ELSE '' END AS networks, NULL AS policy

-- name: access_facts_view
-- $1 digest of the token or null, $2 id of the group or null, $3 its full path or null.  As access_facts,
-- for the registry of a group where it is about no name.
SELECT @caller, @caller_in_view
  FROM (SELECT $1::bytea AS digest,
               coalesce($2::bigint, (SELECT id FROM groups WHERE lower(full_path) = lower($3::text))) AS place) q
  LEFT JOIN tokens t ON t.digest = q.digest
  LEFT JOIN users u ON u.id = t.user_id
  LEFT JOIN groups v ON v.id = q.place;

-- name: access_facts_view_name
-- $1 to $3 as in access_facts_view, $4 a name in normal form, $5 whether a name that is new goes to the
-- group's default project.  As access_facts, about the project of the group that has the name, and behind
-- it the group, and whether there is a project that has the name: of the few crates of that name, by
-- crates_name.
SELECT @caller, @caller_in_project, v.id AS view_id, h.project_id IS NOT NULL AS has_name
  FROM (SELECT $1::bytea AS digest,
               coalesce($2::bigint, (SELECT id FROM groups WHERE lower(full_path) = lower($3::text))) AS place,
               $4::text AS name) n
  LEFT JOIN tokens t ON t.digest = n.digest
  LEFT JOIN users u ON u.id = t.user_id
  LEFT JOIN groups v ON v.id = n.place
  LEFT JOIN LATERAL view_project(v.id, n.name) h ON true
  LEFT JOIN projects p ON p.id = coalesce(h.project_id, CASE WHEN $5::boolean THEN
       (SELECT o.id FROM projects o JOIN groups d ON d.id = o.group_id
         WHERE o.id = v.default_project_id AND d.ancestor_ids @> ARRAY[v.id]) END)
  LEFT JOIN groups g ON g.id = p.group_id;

-- name: cache_decide_view
-- $1 to $3 as in cache_decide, $2 a group.  As cache_decide, with a row for each project of the group or of
-- one below it that has its packages switched on, up to 1001: the groups by groups_ancestor_ids, their
-- projects by projects_group.
SELECT @caller, @caller_in_project, @cache_ground
  FROM access_epoch e
  LEFT JOIN tokens t ON t.digest = $1::bytea
  LEFT JOIN users u ON u.id = t.user_id
  JOIN groups g ON g.ancestor_ids @> ARRAY[$2::bigint]
  JOIN projects p ON p.group_id = g.id AND p.packages_enabled
 LIMIT 1001;

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

-- name: access_facts_projects
-- $1 token or null, $2 group, $3 whether groups below it count as well.  As access_facts, with a row for
-- each project, to list the packages of a group: the groups by groups_ancestor_ids, their
-- projects by projects_group, and for each project the look-ups of access_facts, which take most of the
-- time.  Sorted by path.
SELECT @caller, @caller_in_project
  FROM groups g
  JOIN projects p ON p.group_id = g.id
  LEFT JOIN tokens t ON t.id = $1::bigint
  LEFT JOIN users u ON u.id = t.user_id
 WHERE g.id = $2::bigint OR ($3::boolean AND g.ancestor_ids @> ARRAY[$2])
 ORDER BY lower(p.full_path), p.id;

-- part: caller_memberships
-- A user and the places where they are a member, by members_group and members_project: a few rows.
caller AS MATERIALIZED (
	SELECT u.id, u.is_admin FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.id = $1::bigint
), mine AS MATERIALIZED (
	SELECT m.group_id, m.project_id, m.access_level FROM caller c JOIN members m ON m.user_id = c.id
	 WHERE m.expires_at IS NULL OR m.expires_at > now()
)

-- part: visible_projects
-- Project p of group g, if the caller, a user or nobody, may see it: the same as
-- access_decide() says of ACTION_READ_NAMESPACE, which judges each project of a page again (a test
-- compares the two).  And it has what the request asks for: $2 group or null for every project, $3
-- whether groups below it count as well, $4 a part of the path in lower case or null, $5 visibility or
-- null, $6 the caller's lowest level there, or 0.
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
        OR g.ancestor_ids && ARRAY(SELECT group_id FROM mine WHERE group_id IS NOT NULL AND access_level >= $6))

-- name: access_projects_count
-- $1 token or null, $2 to $6 of visible_projects.  Counts up to 10001: a scan that
-- compares small sets, and stops there.
WITH @caller_memberships
SELECT count(*) AS total FROM (SELECT FROM @visible_projects LIMIT 10001) counted;

-- name: access_projects_page
-- As access_projects_count; $7 how many, $8 how many to skip.  A page by path: projects_full_path in
-- order, up to the page.
WITH @caller_memberships
SELECT p.id FROM @visible_projects ORDER BY lower(p.full_path) LIMIT $7::bigint OFFSET $8::bigint;

-- name: access_projects_page_desc
-- As access_projects_page, from the last path on.
WITH @caller_memberships
SELECT p.id FROM @visible_projects ORDER BY lower(p.full_path) DESC LIMIT $7::bigint OFFSET $8::bigint;

-- part: open_groups
-- Groups with a project below them, at any depth, that the caller sees without being a member: a scan of the
-- groups, with one look or two for each, however many projects there are.
open AS MATERIALIZED (
	SELECT DISTINCT unnest(d.ancestor_ids) AS id FROM groups d
	 WHERE ($2::bigint IS NULL OR d.ancestor_ids @> ARRAY[$2])
	   AND (@has_public OR (EXISTS (SELECT FROM caller) AND @has_internal))
)

-- part: visible_groups
-- Group g, if the caller, a user or nobody, may see it: the same as access_decide() says of
-- ACTION_READ_NAMESPACE, which judges each group of a page again (a test compares the two).  And it has
-- what the request asks for: $2 a group that it is below, or null, $3 whether directly, or without $2
-- whether it is below none, $4 a part of the path in lower case or null, $5 the caller's lowest level
-- there, or 0, $6 ids that are left out.
groups g
 WHERE (EXISTS (SELECT FROM caller WHERE is_admin)
        OR g.ancestor_ids && ARRAY(SELECT group_id FROM mine WHERE group_id IS NOT NULL)
        OR g.id IN (SELECT id FROM open)
        OR g.id IN (SELECT unnest(d.ancestor_ids) FROM mine m JOIN groups d ON d.id = @group_of_member))
   AND CASE WHEN $3::boolean THEN g.parent_id IS NOT DISTINCT FROM $2::bigint
            ELSE $2 IS NULL OR (g.ancestor_ids @> ARRAY[$2] AND g.id <> $2) END
   AND ($4::text IS NULL OR strpos(lower(g.full_path), $4) > 0)
   AND ($5::bigint = 0
        OR g.ancestor_ids && ARRAY(SELECT group_id FROM mine WHERE group_id IS NOT NULL AND access_level >= $5))
   AND g.id <> ALL ($6::bigint[])

-- name: access_groups_count
-- $1 token or null, $2 to $6 of visible_groups.  Counts up to 10001: a scan that compares small sets,
-- and stops there.
WITH @caller_memberships, @open_groups
SELECT count(*) AS total FROM (SELECT FROM @visible_groups LIMIT 10001) counted;

-- name: access_groups_page
-- As access_groups_count; $7 how many, $8 how many to skip.  A page by path: groups_full_path in order,
-- up to the page.
WITH @caller_memberships, @open_groups
SELECT g.id FROM @visible_groups ORDER BY lower(g.full_path) LIMIT $7::bigint OFFSET $8::bigint;

-- name: access_groups_page_desc
-- As access_groups_page, from the last path on.
WITH @caller_memberships, @open_groups
SELECT g.id FROM @visible_groups ORDER BY lower(g.full_path) DESC LIMIT $7::bigint OFFSET $8::bigint;

-- part: viewer
-- User u, of whom there may be none, in the columns of a token: whoever has a session in a browser may read what
-- a token of theirs with read_api may.
LATERAL (SELECT -1::bigint AS id, 'personal' AS kind, u.id AS user_id, NULL::timestamptz AS revoked_at,
                NULL::text AS source, NULL::bigint AS trust_rule_id, NULL::timestamptz AS expires_at,
                NULL::timestamptz AS checked_until, '{read_api}'::text[] AS scopes, NULL::bigint AS project_id,
                NULL::bigint AS group_id, NULL::text[] AS operations, NULL::text[] AS crate_patterns
          WHERE u.id IS NOT NULL) t

-- name: access_facts_viewer
-- $1 user or null, $2 id of the project or null, $3 its full path or null.  As access_facts, for who looks
-- at a page.
SELECT @caller, @caller_in_project
  FROM (SELECT $1::bigint AS viewer,
               coalesce($2::bigint, (SELECT id FROM projects WHERE lower(full_path) = lower($3::text))) AS project) q
  LEFT JOIN users u ON u.id = q.viewer
  LEFT JOIN @viewer ON true
  LEFT JOIN projects p ON p.id = q.project
  LEFT JOIN groups g ON g.id = p.group_id;

-- name: access_facts_viewer_group
-- $1 user or null, $2 id of the group or null, $3 its full path or null.  As access_facts_group, for who looks
-- at a page.
SELECT @caller, @caller_in_group
  FROM (SELECT $1::bigint AS viewer,
               coalesce($2::bigint, (SELECT id FROM groups WHERE lower(full_path) = lower($3::text))) AS place) q
  LEFT JOIN users u ON u.id = q.viewer
  LEFT JOIN @viewer ON true
  LEFT JOIN groups g ON g.id = q.place;

-- name: access_facts_viewer_listed
-- $1 user or null, $2 projects.  As access_facts_viewer, with a row for each project in that order.  OFFSET 0 keeps
-- the values from the planner, which else would make a plan for each number of projects: that takes longer than to
-- find a page of them.
SELECT @caller, @caller_in_project
  FROM (SELECT $1::bigint AS viewer, $2::bigint[] AS ids OFFSET 0) a
 CROSS JOIN LATERAL unnest(a.ids) WITH ORDINALITY AS q (id, place)
  JOIN projects p ON p.id = q.id
  JOIN groups g ON g.id = p.group_id
  LEFT JOIN users u ON u.id = a.viewer
  LEFT JOIN @viewer ON true
 ORDER BY q.place;
