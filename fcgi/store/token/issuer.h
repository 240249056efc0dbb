#ifndef STORE_TOKEN_ISSUER_H
#define STORE_TOKEN_ISSUER_H

/*
 * Trusted issuers of identity tokens, and the key sets that were last read from them.  Only an
 * administrator adds one: no request brings an address here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/audit.h"
#include "store/db/db.h"

struct json_object;

enum {
	ISSUER_URL_MAX = 1024,
	/* the shortest time between two reads of old or missing keys, by all workers of all hosts */
	ISSUER_FETCH_PERIOD_S = 60
};

struct issuer {
	int64_t id;
	const char *url; /* as `iss` has it */
	const char *kind; /* "gitlab", "github", "gitea", "generic" */
	const char *audience; /* "": the configuration's external_url */
	const char *jwks_url; /* "": as its discovery document says */
	bool enabled;
	int64_t created_at;
	int64_t fetched_at; /* of the keys; 0: never */
	int64_t failed_at; /* when the last read of the keys failed; 0: it did not */
	int64_t rules;
};

/* Takes url, kind (valid), audience, jwks_url.  -1: 400 a URL is not https, 409 the issuer exists. */
int issuer_add(struct db *, struct arena *, const struct audit_actor *, const struct issuer *,
    int64_t *id, struct err *) __attribute__((warn_unused_result));

/*
 * Removes the issuer with its rules, and says how many there were; jobs that came in by them are refused from
 * the next request on.  -1: 404.
 */
int issuer_remove(struct db *, struct arena *, const struct audit_actor *, const char *url,
    int64_t *id, int64_t *rules, struct err *) __attribute__((warn_unused_result));

/* While an issuer is disabled, jobs that came in by it are refused, too.  -1: 404. */
int issuer_set_enabled(struct db *, struct arena *, const struct audit_actor *, const char *url,
    bool enabled, int64_t *id, struct err *) __attribute__((warn_unused_result));

/* In the order in which they came. */
int issuer_list(struct db *, struct arena *, struct issuer **, size_t *n, struct err *)
    __attribute__((warn_unused_result));

/*
 * Checks the patterns for claims of a new trust rule (trust_check_patterns()) for the issuer, which may be
 * disabled: the rule then lets jobs in once the issuer is enabled.  -1: 400, 404 there is no such issuer.
 */
int issuer_check_patterns(struct db *, struct arena *, const char *url, struct json_object *patterns,
    struct err *) __attribute__((warn_unused_result));

/* The URL with a slash at its end if it has none there, and without it if it has one. */
const char *issuer_url_other(struct arena *, const char *url);

/*
 * Looks for an issuer, also one that is disabled, whose URL differs only by the slash at its end.  *other:
 * its URL; NULL: there is none.
 */
int issuer_find_other(struct db *, struct arena *, const char *url, const char **other, struct err *)
    __attribute__((warn_unused_result));

/* The warning about that, a format for the other URL. */
#define ISSUER_OTHER \
	"there is also an issuer `%s`, which differs only by the slash at the end; compare both with the `iss` of " \
	"a token, and remove the wrong one, with its trust rules"

/* An enabled issuer, with its known keys. */
struct issuer_keys {
	bool found;
	struct issuer issuer; /* id to jwks_url */
	const char *jwks; /* NULL: they were never read */
	int64_t age; /* of jwks, in seconds */
	int64_t read_for_ms; /* for which another worker has been reading them; -1: none is */
};

int issuer_find(struct db *, struct arena *, const char *url, struct issuer_keys *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Claims the read of an issuer's keys among all workers.  *mine: nobody reads them, and nobody has begun
 * to within `period_s` seconds; no other worker reads them until this one has.
 */
int issuer_claim(struct db *, struct arena *, int64_t id, int period_s, bool *mine, struct err *)
    __attribute__((warn_unused_result));

/* Stores the keys that were read; NULL: the read has failed, and the old keys stay.  -1: 503. */
int issuer_set_keys(struct db *, struct arena *, int64_t id, const char *jwks, struct err *)
    __attribute__((warn_unused_result));

#endif
