#ifndef API_APP_H
#define API_APP_H

/*
 * The application of one worker: what lives as long as it does, and what
 * happens around each request.  Before a handler runs, the caller and the
 * project are looked up and the one decision is made; the route's own first
 * read goes along in the same round trip to the database.
 */

#include <stdbool.h>

#include "access/access.h"
#include "api/app_guard.h"
#include "api/credential.h"
#include "base/settings.h"
#include "base/slots.h"
#include "http/pool.h"
#include "http/request.h"
#include "http/response.h"
#include "store/access_facts.h"
#include "store/audit.h"
#include "store/db.h"
#include "store/store_identity.h"
#include "store/token_use.h"

/* What a route needs before its handler runs; NULL in the route: nothing. */
struct route_need {
	/* NULL, or what decides in place of all that follows.  -1: rq->err */
	int (*admit)(const struct worker_app *, struct request *);
	enum action action;
	/* what `:id` in the route's pattern is; SUBJECT_CALLER: it has none, or it is neither */
	enum subject subject;
	/* where that is off, the route is not there */
	enum flag flag;
	/*
	 * NULL, or: checks the request's parameters and fills in the route's first read, whose result the
	 * handler finds in worker_app.first.  -1: rq->err; the read is then not made, and the
	 * error is answered only after the decision has let the caller in.  The place is the
	 * project or group that the path names.
	 */
	int (*prefetch)(struct request *, const struct project_ref *, struct db_call *);
	/*
	 * NULL, or: the same after the decision, with the project's id.  For what must not be read for
	 * a caller who may not have it, since how long that takes would tell whether it is there.
	 */
	int (*read)(struct request *, int64_t project_id, struct db_call *);
};

/* Of work that takes long, only so much is done at once. */
enum app_queue {
	QUEUE_OUTBOUND, /* api/outbound.h */
	QUEUE_INSPECT, /* api/publish_inspect.h */
	QUEUE__MAX
};

_Static_assert((int)QUEUE__MAX <= (int)SLOTS_QUEUES, "each queue has slots");

struct worker_app {
	const struct settings *settings;
	const struct meter *meter;
	struct slots *slots; /* of queues in enum app_queue, shared with the other workers */
	struct arena *arena; /* for the life of the worker */
	struct db *db;
	struct store_identity store;
	const char *www_authenticate;
	struct token_use token_use;
	/* the registry, and the keys of tokens that are live, as of this connection to the database */
	struct token_keys keys;
	uint64_t keys_connection; /* 0: not known yet */
	/* of the request in hand */
	struct request_credential credential;
	struct access_facts facts;
	struct app_guard guard; /* where it writes */
	struct db_call first;
};

extern const struct pool_app api_pool_app;

/*
 * A new token's text and digest, for whoever asked for it; wiped with the request.  NULL: rq->err,
 * 503, 500.
 */
struct token *app_make_token(struct worker_app *, struct request *, enum token_kind)
    __attribute__((warn_unused_result));

/* The caller, who is known now, for the log; when their token was last used. */
void app_note_caller(struct worker_app *, struct request *);

/* "https://host/api/v4/projects/7/packages/cargo": the registry root, always by numeric id. */
char *app_registry_url(const struct worker_app *, struct arena *);

/* May the caller of these facts do that as well? */
bool app_may(const struct access_facts *, enum action);

/*
 * What the caller may do in another place, which the request names besides its own.  -1: as
 * access_decide(), 503.
 */
int app_look(struct worker_app *, struct request *, enum subject, int64_t id, enum action,
    struct access_facts *) __attribute__((warn_unused_result));

/*
 * The project or group in the path: digits are an id, anything else is a full path.  A
 * number that is no id and a path that is too long name none.
 */
struct project_ref app_place(const struct request *);

/* The caller, for the audit row. */
struct audit_actor app_actor(const struct worker_app *, const struct request *);

/* Cache-Control and Vary of an answer that depends on who asks (design section 4). */
void app_cache_headers(const struct worker_app *, struct response *);

/* An answer that is made for this caller and kept by nobody.  Returns 0. */
int app_respond_json(struct response *, int status, struct slice json);

/* Before the store is used: is it the registry's?  -1: 503, in a sentence for the client. */
int app_store_check(struct worker_app *, struct request *) __attribute__((warn_unused_result));

/* {"ok":true} */
int app_respond_ok(struct response *);

#endif
