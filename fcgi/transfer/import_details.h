#ifndef TRANSFER_IMPORT_DETAILS_H
#define TRANSFER_IMPORT_DETAILS_H

/*
 * Imports the owners and downloads of a list (import_source.h), after the versions of the crate.  It finds
 * owners by their names: an active user with the name becomes an owner, as by `cargo owner`.
 */

#include "crate/package.h"
#include "transfer/import_version.h"

struct import_details {
	size_t owners; /* users who have become owners */
	struct strings missing; /* usernames without an active user in this registry */
	size_t downloads; /* versions whose number of downloads has changed */
};

/* A dry run sets no downloads, and counts the users who would become owners.  -1: 500 or 503. */
int import_details(const struct importer *, struct arena *, const struct import_crate *,
    struct import_details *, struct err *) __attribute__((warn_unused_result));

#endif
