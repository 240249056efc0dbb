#ifndef STORE_PACKAGE_FSCK_H
#define STORE_PACKAGE_FSCK_H

/*
 * Do database, index and store tell the same story?  Everything is looked at while others
 * publish and delete, piece by piece; what is reported was wrong at one moment.
 */

#include "base/arena.h"
#include "base/err.h"
#include "store/package/fsck_problem.h"

/* Goes on for one piece; the arena is the caller's to reset after it.  -1: 503, 500. */
int fsck_go_on(struct fsck *, struct arena *, struct fsck_progress *, struct err *)
    __attribute__((warn_unused_result));

/* After the last piece: notes for monitoring what is wrong still.  problems: of all pieces.  -1: 503, 500. */
int fsck_note(struct db *, struct arena *, int64_t problems, struct err *)
    __attribute__((warn_unused_result));

#endif
