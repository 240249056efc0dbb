#ifndef CRATE_REGISTRY_URL_H
#define CRATE_REGISTRY_URL_H

/*
 * The URL of an index, in whatever spelling somebody wrote it.  Two spellings of one registry in an
 * index would be two registries to cargo, and two copies of one crate in a lock file.
 */

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* The git URL by which cargo names the public registry in publish metadata and in index lines. */
#define REGISTRY_PUBLIC_URL "https://github.com/rust-lang/crates.io-index"

/* Its sparse index, as cargo writes it. */
#define REGISTRY_PUBLIC_SPARSE "sparse+https://index.crates.io/"

/* The address of the public registry's page of a crate, up to the name. */
#define REGISTRY_PUBLIC_PAGES "https://crates.io/crates/"

/* All names of the public registry that a configuration may have. */
extern const char *const registry_public_urls[];
extern const size_t registry_npublic_urls;

enum registry_kind {
	REGISTRY_ELSEWHERE, /* on another server */
	REGISTRY_PUBLIC,
	REGISTRY_HERE, /* of a project of this server: below external_url */
	REGISTRY_GROUP /* of a group of this server */
};

struct registry_url {
	enum registry_kind kind;
	/* project_id of REGISTRY_HERE, group_id of REGISTRY_GROUP; 0: `path` has it */
	int64_t project_id;
	int64_t group_id;
	const char *path; /* the full path, in the case of the URL; NULL: an id */
};

/*
 * Finds the registry that the URL names.  server: external_url.  -1: 400, the URL is on this server but is
 * not the address of an index; the error has an example of one.
 */
int registry_url_read(struct arena *, const char *server, const char *url, struct registry_url *,
    struct err *) __attribute__((warn_unused_result));

/*
 * The URL of a project's registry in its one form: "sparse+https://host/api/v4/projects/7/packages/cargo/".
 */
const char *registry_url_index(struct arena *, const char *server, int64_t project_id);

#endif
