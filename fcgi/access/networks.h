#ifndef ACCESS_NETWORKS_H
#define ACCESS_NETWORKS_H

/* `anonymous_networks` of projects and groups, as an administrator or an owner writes them. */

#include "base/arena.h"
#include "base/err.h"

enum { NETWORKS_MAX = 64 }; /* of one project or group: each read without a token compares them all */

/*
 * The list with one blank between its words.  -1: 400, a word is no network, it covers so much of the
 * Internet that the project would be public, or there are too many.
 */
int networks_parse(struct arena *, const char *value, const char **out, struct err *)
    __attribute__((warn_unused_result));

#endif
