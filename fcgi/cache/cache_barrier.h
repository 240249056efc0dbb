#ifndef CACHE_CACHE_BARRIER_H
#define CACHE_CACHE_BARRIER_H

/*
 * The wait of a writer, between its commit and its answer, until no node serves the previous state.  The
 * protocol is in berth-architecture(7).
 *
 * The question to all nodes goes out with COMMIT, in the same round trip.  A worker then sleeps until the
 * board of its keeper has all acknowledgements.  It also asks the database itself whether other nodes have
 * acknowledged: every 100 ms while the board lacks one of them, and when a lease that it waits for has ended.
 * Without a board, or a keeper that serves, it asks the database again and again.
 */

#include <stddef.h>
#include <stdint.h>

#include "cache/cache_board.h"
#include "store/db/db.h"

/* The barrier of one session; it lives as long as the session's handle. */
struct cache_barrier;

/* board: NULL: there is none.  From here on each COMMIT of the handle asks the nodes. */
struct cache_barrier *cache_barrier_new(struct db *, struct cache_board *);
void cache_barrier_free(struct cache_barrier *);

/*
 * Call this before a request uses the session.  Drops a connection that is older than the keeper's last
 * reconnection: its server may be cut off, as the keeper's was.
 */
void cache_barrier_look(struct cache_barrier *);

/*
 * Call this before a request reads.  Shows that the server is still the primary: within the last `lease_s`
 * seconds it has made a commit that waits for the synchronous standbys.  A server that was replaced has no
 * standby left, so its commits wait for ever, although it still answers reads.  The keeper's renewals are
 * such commits; where no keeper serves, or the session is with another server than the keeper's, this makes
 * one.  A new session is with another server only if no host of the connection string leads to the keeper's.
 * -1: 503, no answer came within half of lease_s.  An error that the server sends, such as one that
 * it is read-only, is an answer and no failure.
 */
int cache_barrier_confirm(struct cache_barrier *, struct arena *, int64_t lease_s, int64_t deadline_us,
    struct err *) __attribute__((warn_unused_result));

/*
 * Call this before you answer a request or command that may have written.  Where its commits make a
 * file or grant of any node wrong, it waits until no node can serve that any more; also where the
 * database had the wanted state already (db_found_done).
 * It waits for a node that does not acknowledge until that node's lease has ended.  It waits until
 * `until_us` of clock_us() for a node that renews its lease and gets no notifications, and for a
 * database that is away.  It costs no round trip where the commits touch no file or grant, or where no node
 * serves from a cache.  -1: 503 with the hosts that have not acknowledged; what was committed stays
 * committed.
 */
int cache_barrier_wait(struct cache_barrier *, struct arena *, int64_t until_us, struct err *)
    __attribute__((warn_unused_result));

/*
 * Call this after cache_barrier_wait(), even if it has failed.  Returns the other nodes that have not
 * acknowledged and may be in stale mode (cache/cache_stale.h): their lease has ended, so
 * cache_barrier_wait() did not wait for them.  Each comes with the seconds that are left:
 * "node1;s=3590, node2;s=12".  NULL: there are none.
 */
const char *cache_barrier_take_stale(struct cache_barrier *, struct arena *);

#endif
