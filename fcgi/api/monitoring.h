#ifndef API_MONITORING_H
#define API_MONITORING_H

/*
 * What the fleet's monitoring asks: is the process alive, can it work, what has it counted.  No
 * token opens these: they are for the addresses of `monitoring_allow`, and to all others they
 * are not there.
 */

#include "call/call.h"

/*
 * An address that may ask; one of this host only by nginx's server for monitoring
 * (conf/nginx/berth-monitoring.conf).  To others 404, as for any path that leads nowhere.
 */
extern const struct route_policy monitoring_policy;

/* 200 where a worker answers; looks at nothing else. */
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
