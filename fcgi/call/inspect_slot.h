#ifndef CALL_INSPECT_SLOT_H
#define CALL_INSPECT_SLOT_H

/*
 * Limits how many crates are open at once, for publishes and for people who read source: to half the number
 * of processors, and at least two, or to inspect_slots.  Actors take turns (base/slots.h).
 */

#include <stdint.h>

#include "call/app.h"

enum { INSPECT_SLOT_ACTOR = 2 /* slots that one actor may have */ };

/* Waits until until_us of clock_us() at most.  -1: no slot was free in time. */
int inspect_slot_take(const struct worker_app *, const char *actor, int64_t until_us)
    __attribute__((warn_unused_result));
void inspect_slot_leave(const struct worker_app *, const char *actor);

#endif
