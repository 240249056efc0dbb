#ifndef API_DATABASE_METRICS_H
#define API_DATABASE_METRICS_H

/* The metrics that come from the database.  pool/metrics.h has those that one node counts. */

#include "base/buf.h"
#include "call/app.h"

/* Appends the metrics; the schema of the database must fit.  Leaves out a metric that it cannot read. */
void database_metrics(struct worker_app *, struct request *, struct buf *);

#endif
