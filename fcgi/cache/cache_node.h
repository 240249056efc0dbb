#ifndef CACHE_CACHE_NODE_H
#define CACHE_CACHE_NODE_H

/*
 * What the database knows of the nodes that serve from their cache: which there are, until when, and
 * how far each has come.  The protocol is in berth-architecture(7).
 */

#include <stdbool.h>
#include <stdint.h>

#include "cache/cache_message.h"
#include "store/db.h"


/*
 * Before a request or command is answered that may have written: where what it has committed takes
 * away the ground of a file or grant of any node, waits until no node can serve it any more.  So it
 * does where what was asked for was so already (db_found_done).
 * A node that does not acknowledge is waited for until its lease has ended; one that goes on making
 * its lease longer, and hears nothing, is waited for until `until_us` of clock_us() only, and so is a
 * database that is away.  Where nothing of this was touched it takes one round trip, and where there
 * is no such node one more.  -1: 503 with the hosts that have not acknowledged; what was committed
 * stays committed.
 */
int cache_barrier(struct db *, struct arena *, int64_t until_us, struct err *)
    __attribute__((warn_unused_result));

/* ---- for keepers ---- */

/* Notifications come from now on.  -1: 503. */
int cache_node_listen(struct db *, struct arena *, struct err *) __attribute__((warn_unused_result));

/*
 * Tells all keepers a number: a CACHE_CALL that the caller's own must hear.  By another session than
 * the one that listens, since any session hears itself.  -1: 503.
 */
int cache_node_call(struct db *, struct arena *, int64_t *number, struct err *)
    __attribute__((warn_unused_result));

/*
 * The node serves nothing yet and has a lease of so many seconds, beginning before the call.
 * Nodes that were not seen for long are forgotten.  *written: by what the node's row is known again, in
 * the two calls below, which change it.  -1: 503.
 */
int cache_node_register(struct db *, struct arena *, const char *node, const char *host,
    int64_t seconds, int64_t *written, struct err *) __attribute__((warn_unused_result));

/*
 * As long again.  -1: 503, also where the lease has ended meanwhile, or the row is not the one that we
 * have written, as after a restore of the database: the node has to begin anew.
 */
int cache_node_renew(struct db *, struct arena *, const char *node, int64_t seconds, int64_t *written,
    struct err *) __attribute__((warn_unused_result));

/* The node serves nothing any more.  -1: 503. */
int cache_node_release(struct db *, struct arena *, const char *node, struct err *)
    __attribute__((warn_unused_result));

/* The next message that has come.  1: here it is, 0: there is none, -1: 500, one that makes no sense. */
int cache_node_next(struct db *, struct cache_message *, struct err *)
    __attribute__((warn_unused_result));

/* The node has done what it was told up to the CACHE_SYNC of that number.  -1: 503, as cache_node_renew(). */
int cache_node_acknowledge(struct db *, struct arena *, const char *node, int64_t number,
    int64_t *written, struct err *) __attribute__((warn_unused_result));

#endif
