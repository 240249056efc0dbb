#ifndef API_ROUTES_H
#define API_ROUTES_H

/* The table of routes (design section 2). */

#include "http/router.h"

extern const struct router api_router;

#endif
