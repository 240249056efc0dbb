-- name: id_token_use
-- $1 digest of an identity token, $2 its end, in seconds since 1970.  A row for the first caller, by the
-- primary key: if several come at once, the others wait for the first, and get no row if it commits.  The
-- record stays for an hour after the end of the token.  Removes up to 8 older records, by
-- used_id_tokens_until; nobody waits for those.
WITH swept AS (
	DELETE FROM used_id_tokens WHERE digest = ANY (ARRAY(
	       SELECT o.digest FROM used_id_tokens o
	        WHERE o.until_at < now() AND o.digest <> $1::bytea
	        ORDER BY o.until_at LIMIT 8 FOR UPDATE SKIP LOCKED))
)
INSERT INTO used_id_tokens (digest, until_at)
VALUES ($1, to_timestamp($2::bigint) + interval '1 hour')
    ON CONFLICT (digest) DO NOTHING
RETURNING true;

-- name: ci_token_sweep
-- Removes up to 1000 records of each kind of credential that are no longer needed: identity tokens that
-- have expired, and tokens that GitLab has refused and would be asked about again.  By
-- used_id_tokens_until and refused_job_tokens_until, without waiting for records that are in use.
WITH used AS (
	DELETE FROM used_id_tokens WHERE digest = ANY (ARRAY(
	       SELECT digest FROM used_id_tokens WHERE until_at < now()
	        ORDER BY until_at LIMIT 1000 FOR UPDATE SKIP LOCKED))
	RETURNING true
), refused AS (
	DELETE FROM refused_job_tokens WHERE digest = ANY (ARRAY(
	       SELECT digest FROM refused_job_tokens WHERE until_at < now()
	        ORDER BY until_at LIMIT 1000 FOR UPDATE SKIP LOCKED))
	RETURNING true
)
SELECT (SELECT count(*) FROM used) + (SELECT count(*) FROM refused) AS removed;

-- name: ci_token_known
-- $1 digest of a credential.  Unique index tokens_digest_key.
SELECT id FROM tokens WHERE digest = $1;

-- name: ci_token_of_rule
-- $1 rule, $2 digest, $3 source, $4 name, $5 end as seconds since 1970, $6 pipeline, $7 job, $8 its URL,
-- $9 ref, $10 commit, $11 claims, $6 to $11 may be null, $12 handle or ''.  User, project and limits are
-- those of the rule, by its primary key; the rule cannot be removed during this statement.  A token of that
-- digest stays as it is.  No row if the rule or its issuer has been removed.
WITH rule AS (
	SELECT r.*, i.url FROM trust_rules r JOIN trusted_issuers i ON i.id = r.issuer_id
	 WHERE r.id = $1 AND i.enabled
	   FOR KEY SHARE OF r
), made AS (
INSERT INTO tokens (kind, digest, source, name, expires_at, pipeline, job, job_url, ref, commit, claims,
       user_id, project_id, scopes, crate_patterns, operations, trust_rule_id, issuer, handle)
SELECT 'job', $2::bytea, $3::text, $4::text, to_timestamp($5::bigint), $6::bigint, $7::bigint, $8::text,
       $9::text, $10::text, $11::jsonb, r.user_id, r.project_id, '{}', r.crate_patterns, r.operations,
       r.id, r.url, nullif($12::text, '')
  FROM rule r
    ON CONFLICT (digest) DO NOTHING
RETURNING id)
SELECT m.id, r.project_id, m.id IS NOT NULL AS is_new FROM rule r LEFT JOIN made m ON true;
