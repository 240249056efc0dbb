#ifndef API_CONFIG_JSON_H
#define API_CONFIG_JSON_H

/* GET R/config.json (Cargo reference, "Registry Index: Index Configuration"). */

#include "api/call.h"

extern const struct route_need config_json_need;

/* 200.  No trailing slashes, never the Host header; the same bytes for every reader. */
int config_json_handle(struct call *, struct request *, struct response *);

#endif
