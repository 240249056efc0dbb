#ifndef STORE_PACKAGE_VERSION_STATUS_H
#define STORE_PACKAGE_VERSION_STATUS_H

/*
 * The status that a project's maintainers give to a version: `default`; `deprecated`; `hidden`, which is
 * not listed; `error`, which nobody can install either, since it leaves index and download.
 */

#include "store/package/version_lock.h"

/*
 * One transaction, with the crate locked: status, audit row, index.  A version that has the status already
 * stays as it is.  message: the reason; NULL or empty: none.  -1 as version_lock(), or 400 for a message
 * that is no text of one line, or too long.
 */
int version_set_status(struct db *, struct arena *, const struct version_change *, const char *status,
    const char *message, struct err *) __attribute__((warn_unused_result));

#endif
