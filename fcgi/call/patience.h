#ifndef CALL_PATIENCE_H
#define CALL_PATIENCE_H

/*
 * cargo asks its web API once: a 503 ends `cargo publish`.  So the writes of that API wait inside
 * their request for trouble that passes.  They have workers of their own, and the backlog of that
 * socket is their queue; requests that read never wait.
 */

#include "base/clock.h"
#include "call/call.h"

/* Since nginx sent the request; cargo gives up after 30 s of silence. */
enum { PATIENCE_US = 20 * CLOCK_SECOND };

/*
 * Gives the request the patience that its route has.  It ends when the client has gone, and before the
 * drain of a pool that stops would cut the request off.
 */
void patience_set(struct call *, struct request *);

/*
 * May this request hold its worker while it waits for something that other callers use up?  At most half of
 * the workers that write do this at once, and n_actor of them for one actor (0: all), so that the others
 * go on.  If true, end it by patience_release().
 */
bool patience_hold(struct call *, const char *actor, size_t n_actor);
void patience_release(struct call *, const char *actor);

/*
 * Waits for so long, as one request of this actor.  False: the request's patience is too short, nobody
 * else may wait now, or the client has gone.
 */
bool patience_wait(struct call *, const char *actor, int64_t us);

/* Ends the patience with the request: the connection then fails at once, as at first. */
void patience_end(struct worker_app *);

#endif
