#ifndef STORE_ACCESS_GENERATION_H
#define STORE_ACCESS_GENERATION_H

/*
 * For how long a decision about access may be remembered: until the generation is another, or
 * the time of something is up.  Whoever changes what a decision could rest on changes the
 * generation in the same transaction (see its migration), so that a read that finds the same one may rest on decisions of before.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

enum { ACCESS_GENERATION_SIZE = 37 };

struct access_generation {
	char id[ACCESS_GENERATION_SIZE];
	int64_t lasts_ms; /* -1: without end */
};

/* Fills in the call, which must come before that for the facts; digest NULL: nobody's token. */
void access_generation_call(struct db_call *, const unsigned char *digest);
void access_generation_read(const struct db_call *, struct access_generation *);

/* Fills in the call: is it still the same? */
void access_unchanged_call(struct db_call *, const char *generation);

/* Reads that of this call, or of another that has no row otherwise. */
bool access_unchanged_read(const struct db_call *);

#endif
