#ifndef STORE_PACKAGE_FSCK_INDEX_H
#define STORE_PACKAGE_FSCK_INDEX_H

/* The part of fsck that compares index files with the versions of their crates. */

#include "base/arena.h"
#include "base/err.h"
#include "store/package/fsck_problem.h"

/*
 * Checks the next crates, and rebuilds wrong index files where the caller asks for it.
 * Holds one compressed file and one line in memory.  -1: as fsck_go_on().
 */
int fsck_check_indexes(struct fsck *, struct arena *, struct fsck_progress *, struct err *)
    __attribute__((warn_unused_result));

#endif
