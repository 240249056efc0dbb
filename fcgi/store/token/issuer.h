#ifndef STORE_TOKEN_ISSUER_H
#define STORE_TOKEN_ISSUER_H

/*
 * Issuers of identity tokens that are believed, and the sets of keys that were read from them last.
 * Only an administrator adds one: no request brings an address here.
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
	int64_t rules;
};

/* Takes url, kind (valid), audience, jwks_url.  -1: 400 for what is no https URL, 409. */
int issuer_add(struct db *, struct arena *, const struct audit_actor *, const struct issuer *,
    int64_t *id, struct err *) __attribute__((warn_unused_result));

/* With its rules; what has come in by them is refused from the next request on.  -1: 404. */
int issuer_remove(struct db *, struct arena *, const struct audit_actor *, const char *url,
    int64_t *id, struct err *) __attribute__((warn_unused_result));

/* While it is off, so is everything that has come in by it.  -1: 404. */
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

/* An issuer that is on, with what is known of its keys. */
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

/* The keys that were read; NULL: in vain, those that there are stay. */
int issuer_set_keys(struct db *, struct arena *, int64_t id, const char *jwks, struct err *)
    __attribute__((warn_unused_result));

#endif
