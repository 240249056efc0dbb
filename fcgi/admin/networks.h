#ifndef ADMIN_NETWORKS_H
#define ADMIN_NETWORKS_H

/* `anonymous_networks` of projects and groups. */

#include "base/arena.h"
#include "base/err.h"

enum { NETWORKS_MAX = 64 }; /* of one project or group: each read without a token compares them all */

/* The list with one blank between its words.  -1: 400, a word is no network, or there are too many. */
int networks_parse(struct arena *, const char *value, const char **out, struct err *)
    __attribute__((warn_unused_result));

#endif
