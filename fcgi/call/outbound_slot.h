#ifndef CALL_OUTBOUND_SLOT_H
#define CALL_OUTBOUND_SLOT_H

/*
 * A worker that asks another system (auth/outbound.h) or an object store waits for its answer, and anybody
 * can make it ask.  So at most half of the workers ask at once, and for requests that write at most half of
 * the write workers; the others serve everybody else.  A pool of one worker has one slot.
 */

#include <stdbool.h>
#include <stdint.h>

#include "call/app.h"

/*
 * Takes a slot; waits for one until until_us of clock_us() at most, and with until_us 0 not at all.  0: ask
 * now, and then call outbound_slot_leave().  -1: too many workers ask already.
 */
int outbound_slot_take(struct worker_app *, const struct request *, int64_t until_us)
    __attribute__((warn_unused_result));
void outbound_slot_leave(const struct worker_app *, const struct request *);

/*
 * Reserves a slot, if one is free, for the request that reads and that this worker serves next: its
 * outbound_slot_take() takes that one.  So of several workers that look for one slot, only one serves a
 * request for it.  outbound_slot_release() gives back a slot that was reserved and not taken.
 */
bool outbound_slot_reserve(struct worker_app *);
void outbound_slot_release(struct worker_app *);

#endif
