-- name: issuer_add
-- $1 URL, $2 kind, $3 audience and $4 JWKS URL, '' for the default of each.  No row if there is one
-- of that URL: the unique constraint decides.
INSERT INTO trusted_issuers (url, kind, audience, jwks_url) VALUES ($1, $2, $3, $4)
    ON CONFLICT (url) DO NOTHING
RETURNING id, true AS changed;

-- name: issuer_remove
-- $1 URL.  One row by its unique index; rules go along by trust_rules_issuer, and tokens lose them by
-- tokens_trust_rule, after which they are good for nothing.  The rules are counted as they were before.
DELETE FROM trusted_issuers i WHERE i.url = $1
RETURNING i.id, true AS changed, (SELECT count(*) FROM trust_rules r WHERE r.issuer_id = i.id) AS rules;

-- name: issuer_set_enabled
-- $1 URL, $2 enabled.  One row by its unique index, locked before it is read.
WITH old AS (SELECT id, enabled FROM trusted_issuers WHERE url = $1 FOR UPDATE)
UPDATE trusted_issuers i SET enabled = $2 FROM old WHERE i.id = old.id
RETURNING i.id, old.enabled <> i.enabled AS changed;

-- name: issuer_list
-- A few rows, for an administrator at a terminal, and for monitoring.  failed_at: when the last read of the
-- keys failed, null if it did not.
SELECT i.id, i.url, i.kind, i.audience, i.jwks_url, i.enabled,
       extract(epoch FROM i.created_at)::bigint AS created_at,
       extract(epoch FROM i.jwks_fetched_at)::bigint AS fetched_at,
       CASE WHEN i.jwks_failed_at > coalesce(i.jwks_fetched_at, '-infinity')
            THEN extract(epoch FROM i.jwks_failed_at)::bigint END AS failed_at,
       (SELECT count(*) FROM trust_rules r WHERE r.issuer_id = i.id) AS rules
  FROM trusted_issuers i ORDER BY i.id;

-- name: issuer_kind
-- $1 URL.  One row by its unique index, also of an issuer that is disabled.
SELECT kind FROM trusted_issuers WHERE url = $1;

-- name: issuer_find
-- $1 URL.  One row by its unique index, of some 10 kB with the keys: read when a job comes for the first
-- time.  The age of the keys is in seconds; the last column: for how many milliseconds somebody has been
-- reading them, null where nobody is.
SELECT id, url, kind, audience, jwks_url, jwks,
       extract(epoch FROM now() - jwks_fetched_at)::bigint AS age,
       CASE WHEN jwks_claimed_at > now() - interval '15 s'
             AND jwks_claimed_at > greatest(jwks_fetched_at, jwks_failed_at, '-infinity')
            THEN greatest(extract(epoch FROM now() - jwks_claimed_at) * 1000, 0)::bigint END AS read_for_ms
  FROM trusted_issuers WHERE url = $1 AND enabled;

-- name: issuer_claim
-- $1 id, $2 seconds.  By the primary key; of several callers at once, on any host, the first gets
-- the row, and nobody else within $2 seconds, nor while it reads (see issuer_find).
UPDATE trusted_issuers SET jwks_claimed_at = clock_timestamp()
 WHERE id = $1 AND (jwks_claimed_at IS NULL
                    OR (jwks_claimed_at <= now() - make_interval(secs => $2::integer)
                        AND (jwks_claimed_at <= now() - interval '15 s'
                             OR jwks_claimed_at <= greatest(jwks_fetched_at, jwks_failed_at, '-infinity'))))
RETURNING id;

-- name: issuer_set_keys
-- $1 id, $2 keys.  By the primary key, once a minute at most.
UPDATE trusted_issuers SET jwks = $2, jwks_fetched_at = clock_timestamp() WHERE id = $1;

-- name: issuer_set_failed
-- $1 id.  By the primary key, once a minute at most; the keys stay as they are.
UPDATE trusted_issuers SET jwks_failed_at = clock_timestamp() WHERE id = $1;
