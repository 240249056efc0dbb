#ifndef API_CARGO_PUBLISH_REGISTRIES_H
#define API_CARGO_PUBLISH_REGISTRIES_H

/*
 * Gives the registry of each dependency the one spelling that it has in an index, whatever the client
 * wrote: the public one that of cargo, those of this server their id.  A dependency on the registry of a
 * group, which in a publish to that group names none, gets that of the project that has its name there: the
 * index of a project names projects alone.
 */

#include "call/call.h"
#include "crate/package.h"

/* More are refused: they are looked up in one round trip. */
enum { PUBLISH_REGISTRIES_MAX = DB_CALLS_MAX };

/* The projects that the dependencies of one publish have named by path so far; { 0 } at first. */
struct registry_paths {
	const char *paths[PUBLISH_REGISTRIES_MAX];
	int64_t ids[PUBLISH_REGISTRIES_MAX]; /* 0: none that the caller may read */
	size_t n, known;
};

/*
 * Rewrites the registries in place.  A path of another project is looked up; the id of one is taken
 * as it is, so that nobody learns which projects there are.  The metadata and the manifest of one
 * publish share the paths.  -1: 400 an address of this server where no index is for the caller, a name that
 * its group does not have, or too many paths; 503.
 */
int publish_registries_name(struct call *, struct request *, struct registry_paths *,
    struct package *) __attribute__((warn_unused_result));

#endif
