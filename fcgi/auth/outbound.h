#ifndef AUTH_OUTBOUND_H
#define AUTH_OUTBOUND_H

/*
 * A worker that asks another system waits for its answer, and anybody can make it ask.  So at most
 * half of the workers ask at once, and for requests that write at most half of the write workers; the
 * others serve everybody else.  A request that finds no slot does not wait: its client must try again.  A
 * pool of one worker has one slot.
 */

#include "call/app.h"
#include "net/https_get.h"

/* 0: ask now, and then call outbound_end().  -1: too many workers ask already. */
int outbound_begin(const struct worker_app *, const struct request *) __attribute__((warn_unused_result));
void outbound_end(const struct worker_app *, const struct request *);

/* https_get() as the configuration says, within the time of the request. */
int outbound_get(const struct worker_app *, const struct request *, const struct https_get *,
    struct https_answer *, struct err *) __attribute__((warn_unused_result));

/* Sets err to the 503 of a request that has found no slot.  Returns -1. */
int outbound_refuse(struct err *);

#endif
