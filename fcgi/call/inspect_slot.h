#ifndef CALL_INSPECT_SLOT_H
#define CALL_INSPECT_SLOT_H

/*
 * Limits how many crates are open at once, for publishes and for people who read source: to half the number
 * of processors, and at least two, or to inspect_slots.  Actors take turns (base/slots.h).
 */

#include <stdint.h>

#include "call/app.h"

enum { INSPECT_SLOT_ACTOR = 2 /* slots that one actor may have */ };

/*
 * The actor of everybody who reads source: a crawler takes no slot from two people who publish.  At most half
 * of the workers that read may have a slot or wait for one for this actor; the others serve everybody else.
 */
extern const char inspect_slot_reader[];

/* Waits until until_us of clock_us() at most.  -1: no slot was free in time, or too many wait for one. */
int inspect_slot_take(const struct worker_app *, const char *actor, int64_t until_us)
    __attribute__((warn_unused_result));
void inspect_slot_leave(const struct worker_app *, const char *actor);

#endif
