#ifndef ACCESS_MEMORY_H
#define ACCESS_MEMORY_H

/*
 * Whom one worker has let in, so that the next request of the same caller need not be
 * decided anew.  Nothing here may be acted upon before the database has said that the
 * generation is still the same (store/access_generation.h): a right that was taken away is
 * remembered until the next look, and no longer.  Refusals are not remembered.
 */

#include <stdint.h>

#include "access/access.h"
#include "store/access_facts.h"
#include "store/access_generation.h"

struct access_memory;

struct access_key {
	enum credential credential;
	const unsigned char *digest; /* of a token */
	const struct project_ref *project;
	enum action action;
	enum flag flag;
};

struct access_memo {
	struct access_facts facts;
	int64_t until_us; /* of clock_us(); 0: without end */
	char generation[ACCESS_GENERATION_SIZE];
};

struct access_memory *access_memory_new(void);
void access_memory_free(struct access_memory *);

/*
 * NULL: not remembered, or its time is up.  What is returned lives until the next call of
 * one of the two below.
 */
const struct access_memo *access_memory_find(
    const struct access_memory *, const struct access_key *, int64_t now_us);

/*
 * Remembers; what another one has to make room for is forgotten.  asked_us: when the
 * generation was asked for.
 */
const struct access_memo *access_memory_keep(struct access_memory *, const struct access_key *,
    const struct access_facts *, const struct access_generation *, int64_t asked_us)
    __attribute__((returns_nonnull));

void access_memory_forget(struct access_memory *, const struct access_key *);

#endif
