#ifndef CRATE_INSPECT_CRATE_DIFF_H
#define CRATE_INSPECT_CRATE_DIFF_H

/*
 * Compares the files of two crates, for people.  Both crates come as streams, the older one first, and
 * nothing is unpacked.  It keeps the texts of the older crate, up to CRATE_DIFF_KEPT_MAX bytes in all; of
 * files after that, and of files longer than CRATE_DIFF_TEXT_MAX, it keeps only the checksum.
 * crate/inspect/diff_text.h describes the answer.
 *
 * libgit2 can also compare buffers.  But it is larger than the inspector, and it would bring TLS, SSH and
 * HTTP into the process that reads hostile bytes with as little code as possible; and no caller can limit
 * its time.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/inspect/job.h"

enum {
	CRATE_DIFF_FILES_MAX = 50000, /* of each crate: 413 above */
	CRATE_DIFF_TEXT_MAX = 256 << 10, /* bytes of a file that is compared by lines */
	CRATE_DIFF_KEPT_MAX = 96 << 20,
	CRATE_DIFF_LISTED_MAX = 1000, /* files that differ; files after them are only counted, ... */
	CRATE_DIFF_NAMES_MAX = 64 << 10 /* ... as are files after so many bytes of paths */
};

enum crate_diff_side { CRATE_DIFF_OLD, CRATE_DIFF_NEW };

struct crate_diff;

/* Opens everything that it needs, as inspect_new(); the job's kind is JOB_DIFF. */
struct crate_diff *crate_diff_new(struct arena *, const struct job *);

/*
 * Takes the next bytes of a crate; all of the old one come before the new one.  -1: 400 the crate is
 * damaged, 413 it has too many files, or 500.
 */
int crate_diff_push(struct crate_diff *, enum crate_diff_side, struct slice, struct err *)
    __attribute__((warn_unused_result));

/* No more bytes of that crate come.  -1: 400, it is damaged. */
int crate_diff_end(struct crate_diff *, enum crate_diff_side, struct err *)
    __attribute__((warn_unused_result));

/* The answer, after both crates have ended; it lives in the arena. */
struct slice crate_diff_answer(struct crate_diff *);

#endif
