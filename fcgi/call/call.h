#ifndef CALL_CALL_H
#define CALL_CALL_H

/*
 * One request on its way through the application: its route and credential, the decision, and the first
 * read of the route.  call_begin() of api/call_begin.h makes it, in the request's arena, and passes it
 * down.  A function that takes a `struct call` may depend on the caller; one that takes only a `struct
 * worker_app` does not.
 */

#include "call/app.h"
#include "call/credential.h"
#include "call/replica.h"
#include "store/audit.h"
#include "store/token/access_facts.h"

/* What is decided and read before the handler of a route runs; NULL in the route: nothing. */
struct route_policy {
	/* NULL, or the decision that replaces all that follows.  -1: rq->err */
	int (*admit)(const struct worker_app *, struct request *);
	enum action action;
	/* what `:id` in the route's pattern is; NAMESPACE_NONE: it has none, or it is neither */
	enum namespace_kind namespace_kind;
	/* where that is off, the route is not there */
	enum flag flag;
	/*
	 * NULL, or: fills in the route's first read, whose result the handler finds in call.first.  It is
	 * made after the decision: else its time would tell a caller who may not read whether the thing
	 * exists.  For a known caller it is made with the decision (call/known_reader.h).
	 * -1: rq->err, for what is wrong with the request's parameters.
	 */
	int (*read)(struct request *, const struct namespace_ref *, struct db_call *);
	/*
	 * The route is for people.  A caller without a credential is the user of the browser's session, and
	 * a 401 asks for a token as the password of HTTP Basic, which feed readers can send.
	 */
	bool is_page;
	/* the route begins with the facts that the worker remembers about the caller: call/known_caller.h */
	bool knows_callers;
};

/* call/patience.h */
struct patience {
	struct db_patience db;
	const struct fcgi_conn *conn;
	int64_t drain_us; /* what a pool that stops leaves to wait */
	int64_t drained_us; /* the end of that; 0: the pool does not stop */
};

/*
 * A request to the registry of a group (store/package/view.h).  A request about a crate is decided and
 * handled in the project that has the crate's name.
 */
struct call_view {
	int64_t group_id; /* 0: the route is none of these, or there is no such group */
	const char *name; /* the crate, in normal form; NULL: the request is about none, or nobody has it */
	bool creates; /* a name that no project has goes to the default project */
	bool has_name; /* a project of the group has it */
};

struct call {
	struct worker_app *app;
	const struct route_policy *policy; /* of the route */
	struct namespace_ref namespace; /* that the path names; { 0 } where the route is about none */
	struct call_view view;
	struct request_credential credential;
	struct access_facts facts; /* by which the caller was let in */
	struct db_result facts_row; /* the row that `facts` is from */
	bool facts_due; /* `facts` is remembered; the current ones may differ: call/known_caller.h */
	const struct db_result *grounds; /* the row that says what `facts` rests on; NULL: not known */
	const char *project_policy; /* access_facts_policy() */
	struct db_guard guard; /* where it writes */
	struct patience patience; /* where it waits for a database that is away */
	struct db_call first; /* what the route reads first */
	int64_t first_place; /* the project or group that it is filled in for; 0: not yet */
	bool first_due; /* it goes along with the next facts: call/known_reader.h */
	struct replica_use replica;
};

/*
 * The project or group that `:id` in the path names: digits are an id, anything else is a full path.
 * A number that is no id and a path that is too long name none.  For routes without a policy.
 */
struct namespace_ref call_namespace(const struct request *);

/* Is the request to the registry of a group?  Then `:group` in its path names the group. */
bool call_is_view(const struct request *);

/* What the facts of the call are about. */
enum namespace_kind call_facts_kind(const struct call *, const struct request *);

/*
 * Fills in the statement that reads the facts; `namespace` is what the path names, or the same by its
 * number.
 */
void call_facts_call(const struct call *, const struct request *, struct arena *,
    const struct namespace_ref *, struct db_call *);

/*
 * Runs that statement, or one with the same columns, and call.first if it is due, and reads call.facts.
 * -1: 503, 500.
 */
int call_read_facts(struct call *, struct request *, struct db_call *) __attribute__((warn_unused_result));

/* Reads call.facts from the result of that statement. */
void call_take_facts(struct call *, const struct request *, const struct db_result *);

/* Reads call.facts: the caller, and the namespace of the request.  -1: 503, 500. */
int call_look_up(struct call *, struct request *) __attribute__((warn_unused_result));

/* The digest by which the database knows the caller's token; NULL: there is no well-formed token. */
const unsigned char *call_digest(const struct call *);

/*
 * Decides what the caller may do in a second namespace that the request names.  -1: as
 * access_decide(), 503.
 */
int call_look(const struct call *, struct request *, enum namespace_kind, int64_t id, enum action,
    struct access_facts *) __attribute__((warn_unused_result));

/*
 * Call it before a request reads: it checks by cache_barrier_confirm() that the server is still the
 * primary.  -1: 503.
 */
int call_confirm(const struct call *, struct request *) __attribute__((warn_unused_result));

/*
 * The root of the registry that the request is to, always with a numeric id:
 * "https://host/api/v4/projects/7/packages/cargo", or the same of a group.
 */
char *call_registry_url(const struct call *, struct arena *);

/* The caller, for the audit row. */
struct audit_actor call_actor(const struct call *, const struct request *);

/*
 * Sets Cache-Control and Vary of an answer that depends on the caller; is_public: a caller without a token
 * may read it.
 */
void call_cache_headers(const struct call *, struct response *, bool is_public);

#endif
