#ifndef API_MONITORING_H
#define API_MONITORING_H

/*
 * The routes for monitoring: is the process alive, can it work, and what has it counted?  They need no
 * token.  They answer the addresses of `monitoring_allow`; all others get 404.
 */

#include "call/call.h"

/*
 * Admits the addresses of `monitoring_allow`, and an address of this host only through nginx's server for
 * monitoring (conf/nginx/berth-monitoring.conf).  Others get 404, as for an unknown path.
 */
extern const struct route_policy monitoring_policy;

/* 200 if a worker answers; checks nothing else. */
int monitoring_liveness(struct call *, struct request *, struct response *);

/*
 * 200 where database, schema, store and keys let this pool do all of its work, 503 else; with
 * `?for=reads` the database and the store need not be writable.  The body names each of them, and the
 * cache, without which the pool does its work as well.
 */
int monitoring_readiness(struct call *, struct request *, struct response *);

/*
 * 200 if the worker of this node, or of the node that `?node=` names, was seen to work within the last 90
 * seconds; 503 if not, or if the database cannot tell.
 */
int monitoring_worker(struct call *, struct request *, struct response *);

/* 200 with everything that is counted, also while the database is away. */
int monitoring_metrics(struct call *, struct request *, struct response *);

#endif
