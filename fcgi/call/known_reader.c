#include "call/known_reader.h"

#include <string.h>

#include "base/clock.h"

enum {
	READERS = 512,
	DIGEST_SIZE = TOKEN_DIGEST_SIZE,
	LATELY_US = 600 * CLOCK_SECOND /* a caller who asks nothing for this long is unknown again */
};

struct known_reader {
	unsigned char digest[DIGEST_SIZE]; /* zeroes: no token */
	const struct route_policy *policy;
	int64_t namespace; /* a group's has a minus sign */
	int64_t place; /* 0: this entry is free */
	int64_t until_us; /* of clock_us() */
};

struct known_readers {
	struct known_reader readers[READERS];
};

struct known_readers *
known_readers_new(struct arena *a)
{
	return arena_calloc(a, 1, sizeof(struct known_readers));
}

/*
 * Fills in the key of the caller, and returns the entry where it belongs.  NULL: the request does not name
 * its namespace by id, or the CI system that issued the token may have to vouch for it again.
 */
static struct known_reader *
entry_of(const struct call *call, const struct request *rq, struct known_reader *key)
{
	const unsigned char *digest = call_digest(call);
	int64_t id = call->namespace.id;

	if (id == 0 || call->credential.foreign.n > 0 || call->credential.kind == CREDENTIAL_MALFORMED)
		return NULL;
	*key = (struct known_reader) { .policy = call->policy, .namespace = call_is_view(rq) ? -id : id };
	if (digest != NULL)
		memcpy(key->digest, digest, DIGEST_SIZE);
	return &call->app->readers->readers[(((uint64_t)key->digest[0] << 8 | key->digest[1]) + (uint64_t)id) %
	    READERS];
}

static bool
is_of(const struct known_reader *r, const struct known_reader *key)
{
	return r->place != 0 && r->policy == key->policy && r->namespace == key->namespace &&
	    memcmp(r->digest, key->digest, DIGEST_SIZE) == 0;
}

void
known_reader_remember(const struct call *call, const struct request *rq, int64_t place)
{
	struct known_reader key, *r = entry_of(call, rq, &key);

	/* another caller without a token may come from an address that may not read */
	if (r == NULL || (call_digest(call) == NULL && access_by_network(&call->facts)))
		return;
	key.place = place;
	key.until_us = clock_us() + LATELY_US;
	*r = key;
}

int64_t
known_reader_find(const struct call *call, const struct request *rq)
{
	struct known_reader key, *r = entry_of(call, rq, &key);

	return r != NULL && is_of(r, &key) && clock_us() < r->until_us ? r->place : 0;
}

void
known_reader_forget(const struct call *call, const struct request *rq)
{
	struct known_reader key, *r = entry_of(call, rq, &key);

	if (r != NULL && is_of(r, &key))
		r->place = 0;
}
