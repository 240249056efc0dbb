#ifndef CRATE_REGISTRY_URL_H
#define CRATE_REGISTRY_URL_H

/*
 * The URL of an index, in whatever spelling somebody wrote it.  Two spellings of one registry in an
 * index would be two registries to cargo, and two copies of one crate in a lock file.
 */

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* By this git URL cargo names the public registry in publish metadata and in index lines. */
#define REGISTRY_PUBLIC_URL "https://github.com/rust-lang/crates.io-index"

/* Its page of a crate, up to the name. */
#define REGISTRY_PUBLIC_PAGES "https://crates.io/crates/"

/* All words for it: a configuration may have any of them. */
extern const char *const registry_public_urls[];
extern const size_t registry_npublic_urls;

enum registry_kind {
	REGISTRY_ELSEWHERE, /* on another server, whose spellings nobody here knows */
	REGISTRY_PUBLIC,
	REGISTRY_HERE, /* of a project of this server: below external_url */
	REGISTRY_GROUP /* of a group of this server */
};

struct registry_url {
	enum registry_kind kind;
	/* of REGISTRY_HERE the id of the project, of REGISTRY_GROUP that of the group; 0: `path` has it */
	int64_t project_id;
	int64_t group_id;
	const char *path; /* the full path, in the case of the URL; NULL: an id */
};

/*
 * Tells what the URL names.  `server` is external_url.  -1: 400, an address of this server where no
 * index is, with an example of one.
 */
int registry_url_read(struct arena *, const char *server, const char *url, struct registry_url *,
    struct err *) __attribute__((warn_unused_result));

/* The one spelling of the registry of a project: "sparse+https://host/api/v4/projects/7/packages/cargo/". */
const char *registry_url_index(struct arena *, const char *server, int64_t project_id);

#endif
