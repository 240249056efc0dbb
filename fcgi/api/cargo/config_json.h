#ifndef API_CARGO_CONFIG_JSON_H
#define API_CARGO_CONFIG_JSON_H

/* GET R/config.json (Cargo reference, "Registry Index: Index Configuration"). */

#include "call/call.h"

extern const struct route_policy config_json_policy;
extern const struct route_policy config_json_group_policy;

/* 200.  No trailing slashes, never the Host header; the same bytes for every reader. */
int config_json_handle(struct call *, struct request *, struct response *);

/* The same for the registry of a group, which needs no token where all of its projects are public. */
int config_json_handle_group(struct call *, struct request *, struct response *);

/*
 * Does the path, which begins with that of a registry, look like what cargo or git ask for when they are
 * configured with an address above or below the index?
 */
bool config_json_is_elsewhere(const struct request *);

/* Raises 404.  The message says where the index is if the caller may read it. */
int config_json_handle_elsewhere(struct call *, struct request *, struct response *);

#endif
