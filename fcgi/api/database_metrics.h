#ifndef API_DATABASE_METRICS_H
#define API_DATABASE_METRICS_H

/* What the database knows of the registry, as metrics: what one node has counted is in pool/metrics.h. */

#include "base/buf.h"
#include "call/app.h"

/* Appends them; the schema must fit.  What cannot be read is left out. */
void database_metrics(struct worker_app *, struct request *, struct buf *);

#endif
