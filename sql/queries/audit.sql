-- name: audit_add
-- $1 action, $2 user, $3 token, $4 project, $5 crate, $6 version, $7 address, $8 request, $9 more
-- as JSON.  One insert.
INSERT INTO audit_events (action, user_id, token_id, project_id, crate, version, remote_addr, request_id,
       detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9::jsonb, '{}'));

-- part: audit_page
-- The matching rows, and the names of their objects, by primary keys.  A token of a row here that no
-- longer exists was a user's own (token_sweep).  The statement is planned for its values, so the plan
-- leaves out nulls and takes the index that fits.
SELECT e.id, to_char(e.at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, e.action, e.user_id, u.username,
       e.token_id, 
       coalesce(t.kind, CASE WHEN e.token_id IS NOT NULL THEN 'personal' END) AS token_kind, e.project_id,
       p.full_path AS project, e.crate, e.version, e.remote_addr,
       e.request_id, e.detail::text, e.detail ->> 'system_user' AS system_user, t.pipeline, t.job, t.job_url,
       t.ref, t.commit, j.full_path AS job_project, t.issuer AS job_issuer
  FROM audit_events e
  LEFT JOIN users u ON u.id = e.user_id
  LEFT JOIN tokens t ON t.id = e.token_id
  LEFT JOIN projects p ON p.id = e.project_id
  LEFT JOIN projects j ON j.id = t.project_id AND t.kind = 'job'
 WHERE ($1::bigint IS NULL OR e.project_id = $1) AND ($2::bigint IS NULL OR e.user_id = $2)
   AND ($3::text IS NULL OR e.action = $3)
   AND ($4::text IS NULL OR (replace(lower(e.crate), '_', '-') = $4 AND e.crate IS NOT NULL))
   AND ($5::bigint IS NULL OR e.at >= to_timestamp($5))
   AND ($6::bigint IS NULL OR e.at < to_timestamp($6)) AND ($10::bigint IS NULL OR e.token_id = $10)

-- name: audit_newest
-- $1 project, $2 user, $3 action, $4 crate in normal form, $5 from and $6 to (not included) as seconds
-- since 1970, $7 and $8 time and id of the last row of the page before, $9 how many; all but $9 may be
-- null.  One page, newest first: the indexes end in (at, id), so only the page is read, in order.  $10 a
-- token: no index has it, so all rows are read that the others select.
@audit_page
   AND ($7::timestamptz IS NULL OR (e.at, e.id) < ($7, $8::bigint))
 ORDER BY e.at DESC, e.id DESC
 LIMIT $9::bigint;

-- name: audit_oldest
-- As audit_newest in the other order: one page, oldest first.
@audit_page
   AND ($7::timestamptz IS NULL OR (e.at, e.id) > ($7, $8::bigint))
 ORDER BY e.at, e.id
 LIMIT $9::bigint;
