#ifndef TRANSFER_IMPORT_DETAILS_H
#define TRANSFER_IMPORT_DETAILS_H

/*
 * Owners and downloads, as a list has them (import_source.h), once the versions of a crate are there.  Owners
 * are found by their names here: an active user with the name becomes an owner, as by `cargo owner`.
 */

#include "crate/package.h"
#include "transfer/import_version.h"

struct import_details {
	size_t owners; /* users who own the crate since now */
	struct strings missing; /* usernames that no active user here has */
	size_t downloads; /* versions that have other numbers now */
};

/* A dry run counts no downloads, and tells those who would be owners.  -1: 500 or 503. */
int import_details(const struct importer *, struct arena *, const struct import_crate *,
    struct import_details *, struct err *) __attribute__((warn_unused_result));

#endif
