#ifndef CALL_KNOWN_READER_H
#define CALL_KNOWN_READER_H

/*
 * Remembers which callers a worker has let in lately, by the route's policy and by the namespace in the path.
 * For such a caller the route's first read goes along with the facts, in one round trip, and is used only if
 * these facts, the current ones of the primary, let the caller in.  So what is remembered decides nothing: it
 * only says what to ask for together.
 *
 * The worker decides about any other caller before it reads anything, so how long an answer takes does not
 * tell them whether a crate exists.
 */

#include "call/call.h"

/* A memory that has no callers yet. */
struct known_readers *known_readers_new(struct arena *);

/* The facts have let the caller in, and the route reads in this project or group. */
void known_reader_remember(const struct call *, const struct request *, int64_t place);

/* Returns the project or group in which the route has read for this caller; 0: the caller is unknown. */
int64_t known_reader_find(const struct call *, const struct request *);

/* The caller was refused. */
void known_reader_forget(const struct call *, const struct request *);

#endif
