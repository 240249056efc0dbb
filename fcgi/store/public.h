#ifndef STORE_PUBLIC_H
#define STORE_PUBLIC_H

/*
 * What the database knows of public reads without the application: which nodes serve files, how
 * far they have heard, and what such a file has in it.  The protocol is in jobs/public_keeper.h.
 */

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"
#include "store/public_dir.h"

/*
 * Before a request or command is answered that may have written: where what it has committed
 * takes away the ground of a file of any node, waits until no node can serve it any more.
 * So it does where what was asked for was so already (db_found_done).
 * Where a node does not say so, that is when its lease has ended; but one that goes on making
 * its lease longer, and hears nothing, is waited for until `until_us` of clock_us() only, and
 * so is a database that is away.  Where nothing of this was touched one round trip, and where
 * there is no such node one more.  -1: 503, nobody knows, or the hosts that have not heard; what
 * was committed stays committed.
 */
int public_settle(struct db *, struct arena *, int64_t until_us, struct err *)
    __attribute__((warn_unused_result));

/* ---- for keepers ---- */

/* Notifications come from now on.  -1: 503. */
int public_listen(struct db *, struct arena *, struct err *) __attribute__((warn_unused_result));

/*
 * Tells all keepers a number: a PUBLIC_CALL that the caller's own must hear.  By another session than
 * the one that listens, since any session hears itself.  -1: 503.
 */
int public_call(struct db *, struct arena *, int64_t *number, struct err *)
    __attribute__((warn_unused_result));

/*
 * The node serves nothing yet and has a lease of so many seconds, beginning before the call.
 * Nodes that were not seen for long are forgotten.  -1: 503.
 */
int public_register(struct db *, struct arena *, const char *node, const char *host,
    int64_t seconds, struct err *) __attribute__((warn_unused_result));

/* As long again.  -1: 503, also where the lease has ended meanwhile: the node has to begin anew. */
int public_renew(struct db *, struct arena *, const char *node, int64_t seconds, struct err *)
    __attribute__((warn_unused_result));

/* The node serves nothing any more.  -1: 503. */
int public_release(struct db *, struct arena *, const char *node, struct err *)
    __attribute__((warn_unused_result));

enum public_tale_kind {
	PUBLIC_INDEX, /* an index file has changed */
	PUBLIC_CRATE, /* ... and so has what can be downloaded */
	PUBLIC_PROJECT, /* nothing of the project is public any more */
	PUBLIC_GENERATION, /* decisions of before may be void, and what rests on them */
	PUBLIC_ALL, /* nor, perhaps, of any */
	PUBLIC_SYNC, /* somebody waits until the node has come so far */
	PUBLIC_CALL /* a keeper finds out whether it hears */
};

/* What a notification tells. */
struct public_tale {
	enum public_tale_kind kind;
	int64_t id; /* of the project; of PUBLIC_SYNC and PUBLIC_CALL its number */
	char name[CRATE_NAME_MAX + 1]; /* of the crate, "" where there is none */
};

/* `i 7 serde`, `c 7 Serde`, `p 7`, `g`, `a`, `s 4711`, `h 4712`.  False: it is none of these. */
bool public_tale_parse(const char *text, struct public_tale *);

/* The next that has come.  1: here it is, 0: there is none, -1: 500, one that makes no sense. */
int public_next_tale(struct db *, struct public_tale *, struct err *)
    __attribute__((warn_unused_result));

/* The node has done what it was told up to the PUBLIC_SYNC of that number.  -1: 503. */
int public_heard(struct db *, struct arena *, const char *node, int64_t number, struct err *)
    __attribute__((warn_unused_result));

struct public_content {
	bool found; /* it may be there: anyone may read it, or the generation holds */
	struct slice index; /* gzip */
	int64_t index_time; /* its modification time, seconds since 1970 */
	const char *index_etag; /* of one that is kept for the pool */
	const char *cksum; /* of a version */
};

/* What the file has in it; of a config.json only whether there is one.  -1: 503. */
int public_read(struct db *, struct arena *, const struct public_want *, struct public_content *,
    struct err *) __attribute__((warn_unused_result));

#endif
