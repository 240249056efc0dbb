#ifndef API_ROUTES_H
#define API_ROUTES_H

/* The table of routes; berth-api(7) describes each. */

#include "http/router.h"

extern const struct router api_router;

#endif
