#ifndef API_CARGO_PUBLISH_REGISTRIES_H
#define API_CARGO_PUBLISH_REGISTRIES_H

/*
 * Writes the registry of each dependency in the one form that an index has, whatever the client wrote:
 * cargo's own form for the public registry, and the address with the project's id for one of this server.
 * A dependency on the registry of a group becomes one on the project that has the crate's name there,
 * because the index of a project names only projects.  In a publish to a group, a dependency without a
 * registry is one on that group.
 */

#include "call/call.h"
#include "crate/package.h"

/* The most paths of one publish, since one round trip looks them up. */
enum { PUBLISH_REGISTRIES_MAX = DB_CALLS_MAX };

/* The projects that the dependencies of one publish have named by path so far; { 0 } at first. */
struct registry_paths {
	const char *paths[PUBLISH_REGISTRIES_MAX];
	int64_t ids[PUBLISH_REGISTRIES_MAX]; /* 0: none that the caller may read */
	size_t n, known;
};

/*
 * Rewrites the registries in place.  A path of another project is looked up; the id of one is taken as it
 * is, so that nobody learns which projects there are.  The metadata and the manifest of one publish share
 * the paths.  -1: 400 an address of this server at which the caller finds no index, a name that the group
 * does not have, or too many paths; 503.
 */
int publish_registries_name(struct call *, struct request *, struct registry_paths *,
    struct package *) __attribute__((warn_unused_result));

#endif
