#ifndef API_CARGO_OWNERS_H
#define API_CARGO_OWNERS_H

/* R/api/v1/crates/:crate/owners (Cargo reference, "Registry Web API: Owners"). */

#include "call/call.h"

extern const struct route_policy owners_list_policy;
extern const struct route_policy owners_change_policy;

/*
 * GET: 200 {"users":[...]}.  E-mail addresses are for members of the project alone.  404 where there
 * is no such crate.
 */
int owners_handle_list(struct call *, struct request *, struct response *);

/*
 * PUT and DELETE with {"users":["a",...]}, or "owners": 200 {"ok":true,"msg":"..."}.  Errors are
 * those of owner_change().
 */
int owners_handle_add(struct call *, struct request *, struct response *);
int owners_handle_remove(struct call *, struct request *, struct response *);

#endif
