-- name: access_generation
-- $1 digest of a token or null.  What a decision that is made after this may be remembered under,
-- and in how many milliseconds something that it rests on ends.  A table of one row; the token by
-- its unique index, its user's few memberships by members_group and members_project.
SELECT g.id::text, ceil(extract(epoch FROM least(t.expires_at, t.checked_until,
           (SELECT min(m.expires_at) FROM members m
             WHERE m.user_id = t.user_id AND m.expires_at > now())) - now()) * 1000)::bigint
  FROM access_generation g LEFT JOIN tokens t ON t.digest = $1::bytea;

-- name: access_unchanged
-- $1 generation.  A row where it is still the same.  A table of one row.
SELECT FROM access_generation WHERE id = $1;
