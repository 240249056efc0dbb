#ifndef API_POOL_APP_H
#define API_POOL_APP_H

/* Berth as the application of the pool: how a worker and the keeper start, serve and stop. */

#include "pool/pool.h"

extern const struct pool_app api_pool_app;

#endif
