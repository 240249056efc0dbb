#ifndef CACHE_CACHE_NODE_H
#define CACHE_CACHE_NODE_H

/*
 * What the database knows of the nodes that serve from their cache: which there are, until when, and
 * how far each has come.  For keepers; the protocol is in berth-architecture(7).
 */

#include <stdbool.h>
#include <stdint.h>

#include "cache/cache_message.h"
#include "store/db/db.h"

/* Subscribes the session to notifications.  -1: 503. */
int cache_node_listen(struct db *, struct arena *, struct err *) __attribute__((warn_unused_result));

/*
 * Sends all keepers a CACHE_PROBE with a new number, which the caller's own listening session must get.
 * Call it by another session, since a session always gets its own notifications.  -1: 503.
 */
int cache_node_probe(struct db *, struct arena *, int64_t *number, struct err *)
    __attribute__((warn_unused_result));

/*
 * Gives a node that serves nothing yet a lease, which began before the call.  Records for how many seconds
 * after the lease the node may be in stale mode (cache/cache_stale.h).  Forgets nodes that have been gone for
 * long.  -1: 503.
 */
struct cache_registration {
	int64_t written; /* the transaction that wrote the node's row; the next functions compare and replace it */
	int64_t number; /* the node has nothing from before this number of a CACHE_SYNC, */
	int64_t server; /* which counts in this run of this server */
};
int cache_node_register(struct db *, struct arena *, const char *node, const char *host,
    int64_t seconds, int64_t stale_s, struct cache_registration *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Extends the lease to `seconds` seconds from now.  -1: 503, also where it has ended, or where another
 * transaction wrote the row, as a restore of the database does: begin anew.
 */
int cache_node_renew(struct db *, struct arena *, const char *node, int64_t seconds, int64_t *written,
    struct err *) __attribute__((warn_unused_result));

/* Ends the lease of a node that serves nothing any more.  -1: 503. */
int cache_node_release(struct db *, struct arena *, const char *node, struct err *)
    __attribute__((warn_unused_result));

/* Takes the next message that has arrived.  1: *m has it, 0: there is none, -1: 500 it is malformed. */
int cache_node_next(struct db *, struct cache_message *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Acknowledges, for the node, all messages up to the CACHE_SYNC with this number, to writers that do not read
 * its board (cache/cache_board.h).  -1: 503, as cache_node_renew().
 */
int cache_node_acknowledge(struct db *, struct arena *, const char *node, int64_t number,
    int64_t *written, struct err *) __attribute__((warn_unused_result));

#endif
