#ifndef API_GITLAB_OPENAPI_H
#define API_GITLAB_OPENAPI_H

/* GET /api/v4/openapi.json: the description of every route, conf/openapi.json as it was built in. */

#include "call/call.h"

/* 200, to anybody: it says nothing that the source does not. */
int openapi_handle(struct call *, struct request *, struct response *);

#endif
