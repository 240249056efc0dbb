#ifndef STORE_PACKAGE_FSCK_H
#define STORE_PACKAGE_FSCK_H

/*
 * Checks that database, index and store agree.  It checks everything piece by piece, while others publish
 * and delete; each reported problem existed at one moment.
 */

#include "base/arena.h"
#include "base/err.h"
#include "store/package/fsck_problem.h"

/* Checks the next piece; the caller resets the arena after it.  -1: 503, 500. */
int fsck_go_on(struct fsck *, struct arena *, struct fsck_progress *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Call it after the last piece: it stores the number of remaining problems for monitoring.  problems: of all
 * pieces.  -1: 503, 500.
 */
int fsck_note(struct db *, struct arena *, int64_t problems, struct err *)
    __attribute__((warn_unused_result));

#endif
