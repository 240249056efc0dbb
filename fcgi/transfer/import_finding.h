#ifndef TRANSFER_IMPORT_FINDING_H
#define TRANSFER_IMPORT_FINDING_H

/* Versions and crates in the order in which they are found, and the lines that name them. */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/package.h"
#include "crate/semver.h"
#include "transfer/import_time.h"

struct import_version {
	const char *version;
	const char *path; /* of the .crate; NULL: there is none */
	struct slice line; /* of the index; empty: there is none */
	int64_t downloads; /* of a list: downloads so far; 0: unknown */
	struct import_time published_at; /* of a list */
	const char *cksum; /* of a lock file: the SHA-256 that the bytes must have; NULL: it says none */
};

/* A version or, without one, a crate that was found; `order` is the order of the lines. */
struct import_found {
	const char *name;
	struct import_version version;
	struct semver semver;
	struct strings owners;
	const char *index; /* of a crate: its file in the index, or NULL */
	const char *wrong; /* NULL: nothing */
	size_t order;
};

struct import_finding {
	struct arena *arena;
	struct import_found *v;
	size_t n, room;
	bool is_list; /* import_source_list() */
};

/* Sets its order. */
void import_finding_add(struct import_finding *, const struct import_found *);

/* Adds what the lines of an index name, or those of a list.  `what` names the lines in errors.  -1: 400. */
int import_finding_take(struct import_finding *, struct slice lines, const char *what, struct err *)
    __attribute__((warn_unused_result));

#endif
