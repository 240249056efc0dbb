#ifndef CRATE_INSPECT_SOURCE_H
#define CRATE_INSPECT_SOURCE_H

/*
 * Reads the files of a published crate, for people: a list of all files, or the bytes of one.  Nothing is
 * unpacked; a path is compared with those in the archive, and never opened.
 *
 * A list is a line for each file, "SIZE PATH", in the order of the archive: no path of a crate has a line
 * break.  A refusal is a status of three digits, a blank and a sentence: "404 the crate has no file `a`".
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/inspect/job.h"

enum {
	SOURCE_LIST_MAX = 4 << 20, /* bytes of a list */
	SOURCE_FILE_MAX = 1 << 20 /* bytes of a file that is shown */
};

struct source;

/* Opens everything that it needs, as inspect_new(); the job's kind is JOB_LIST or JOB_READ. */
struct source *source_new(struct arena *, const struct job *);

/* Takes the next bytes of the crate.  -1: 400 or 413, why there is no answer, or 500. */
int source_push(struct source *, struct slice, struct err *) __attribute__((warn_unused_result));

/* Is the answer complete, whatever bytes follow? */
bool source_done(const struct source *);

/* No more bytes come.  *out is the answer.  -1: 404 the crate has no such file; 400, it is damaged. */
int source_end(struct source *, struct slice *out, struct err *) __attribute__((warn_unused_result));

#endif
