#ifndef CALL_APP_H
#define CALL_APP_H

/*
 * The state of one worker, for its whole life.  It keeps nothing of a request (call/call.h) except what
 * call/known_caller.h and call/known_reader.h remember.
 */

#include <stdbool.h>

#include "access/access.h"
#include "access/token.h"
#include "base/slots.h"
#include "config/settings.h"
#include "http/request.h"
#include "http/response.h"
#include "pool/metrics.h"
#include "store/blob/store_identity.h"
#include "store/db/db.h"
#include "store/token/token_use.h"

/* Queues for long work: slots limit how much of it is done at once. */
enum app_queue {
	QUEUE_OUTBOUND, /* call/outbound_slot.h */
	QUEUE_INSPECT, /* api/cargo/publish_inspect.h */
	QUEUE_WAIT, /* call/patience.h */
	QUEUE__MAX
};

_Static_assert((int)QUEUE__MAX <= (int)SLOTS_QUEUES, "each queue has slots");

struct worker_app {
	const struct settings *settings;
	const struct meter *meter;
	struct slots *slots; /* slots of the queues in enum app_queue, shared with the other workers */
	bool slot_reserved; /* call/outbound_slot.h */
	struct arena *arena; /* for the life of the worker */
	struct db *db;
	struct db *replica; /* call/replica.h; NULL: there is none */
	int64_t replica_pause_us; /* by clock_us(): it is not asked before */
	int64_t replica_lag_us; /* the length of the pause; 0: it does not lag, but fails */
	struct cache_barrier *barrier; /* cache/cache_barrier.h */
	struct cache_board *board; /* cache/cache_board.h */
	struct inspector *inspector; /* crate/inspect/inspector.h */
	struct store_identity store;
	const char *www_authenticate;
	struct token_use token_use;
	struct known_callers *known; /* call/known_caller.h */
	struct known_readers *readers; /* call/known_reader.h */
	/*
	 * the registry's id and the live keys of tokens, as of this connection to the database and this time
	 */
	struct token_keys keys;
	uint64_t keys_connection; /* 0: not read yet */
	int64_t keys_read_us;
};

/*
 * Reads the registry's id and its keys before a new connection serves anything, since it may lead to another
 * database, and once a minute, since a slot may be new or retired.  -1: 503, 500.
 */
int app_know_keys(struct worker_app *, struct arena *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Makes a new token's text and digest for the caller, wiped with the request.  NULL: rq->err,
 * 503, 500.
 */
struct token *app_make_token(struct worker_app *, struct request *, enum token_kind)
    __attribute__((warn_unused_result));

/* Half of the workers, at least one: so many may do slow work at the same time, and the others go on. */
size_t app_half(int64_t workers);

/* May the caller of these facts do that as well? */
bool app_may(const struct access_facts *, enum action);

/* Answers with JSON for this caller, which nobody may cache.  Returns 0. */
int app_respond_json(struct response *, int status, struct slice json);

/*
 * Checks that the store is the registry's; call it before you use the store.  -1: 503, with a
 * sentence for the client.
 */
int app_store_check(struct worker_app *, struct request *) __attribute__((warn_unused_result));

/* {"ok":true} */
int app_respond_ok(struct response *);

#endif
