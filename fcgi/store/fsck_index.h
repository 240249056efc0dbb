#ifndef STORE_FSCK_INDEX_H
#define STORE_FSCK_INDEX_H

/* The part of fsck that holds index files against the versions that they are made of. */

#include "store/fsck.h"

/* Says a problem, and counts it. */
void fsck_report(struct fsck *, enum fsck_kind, const char *subject, const char *detail,
    bool repaired);

/*
 * Looks at the next crates, and rebuilds the index files that are wrong where that is asked for.
 * Holds one file, compressed, and one line in memory.  -1: as fsck_go_on().
 */
int fsck_check_indexes(struct fsck *, struct arena *, struct fsck_place *, struct err *)
    __attribute__((warn_unused_result));

#endif
