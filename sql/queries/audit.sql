-- name: audit_add
-- $1 action, $2 user, $3 token, $4 project, $5 crate, $6 version, $7 address, $8 request, $9 more
-- as JSON.  One insert.
INSERT INTO audit_events (action, user_id, token_id, project_id, crate, version, remote_addr, request_id, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9::jsonb, '{}'));
