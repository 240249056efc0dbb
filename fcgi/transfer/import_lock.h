#ifndef TRANSFER_IMPORT_LOCK_H
#define TRANSFER_IMPORT_LOCK_H

/* The versions of a Cargo.lock that come from the registry of an import, for an import of these alone. */

#include "base/arena.h"
#include "base/err.h"
#include "transfer/import_registry.h"
#include "transfer/import_source.h"

/* The most bytes of a lock file.  With 1,000 packages it has about 250 kB. */
enum { IMPORT_LOCK_MAX = 64 * 1024 * 1024 };

struct import_lock {
	struct import_source wanted; /* names, versions, and the checksums that the file has */
	size_t elsewhere; /* packages of other registries and of git repositories */
	const char *example; /* the name of one of them; NULL: there is none */
};

/*
 * registries: the URLs of the registry of the import.  Packages without a source, those of the workspace,
 * do not count.  -1: 400 if the file is not a lock file, has no package of that registry, or has a version
 * with two checksums; the error says what to do.
 */
int import_lock_read(struct arena *, const char *path, const char *const registries[IMPORT_REGISTRIES_MAX],
    struct import_lock *, struct err *) __attribute__((warn_unused_result));

/* The same, of a text; `what` names it in errors. */
int import_lock_parse(struct arena *, struct slice text, const char *what,
    const char *const registries[IMPORT_REGISTRIES_MAX], struct import_lock *, struct err *)
    __attribute__((warn_unused_result));

#endif
