#ifndef API_CARGO_SEARCH_H
#define API_CARGO_SEARCH_H

/* GET R/api/v1/crates?q=&per_page=&page= (Cargo reference, "Registry Web API: Search"). */

#include "call/call.h"

extern const struct route_policy search_policy;

/*
 * 200 {"crates":[...],"meta":{"total":n}}: crates of the one project that the path names.  400 for a `page`
 * or `per_page` that is no such number, and for a query that is too long.
 */
int search_handle(struct call *, struct request *, struct response *);

/* The same for the registry of a group: crates of the projects that the caller may read. */
int search_handle_group(struct call *, struct request *, struct response *);

#endif
