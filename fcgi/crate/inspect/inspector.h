#ifndef CRATE_INSPECT_INSPECTOR_H
#define CRATE_INSPECT_INSPECTOR_H

/*
 * The inspector of one worker: a berth-inspect --serve, started at the first job, which keeps a process
 * ready for the next crate (crate/inspect/template.h).  Any error ends the inspector and its process, and
 * the next job starts another one.  It also ends with its worker.
 */

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "crate/inspect/job.h"

enum { INSPECTOR_ERRORS_MAX = 1024 };

struct inspector;

struct inspector_result {
	struct slice verdict; /* the verdict, or the answer to another kind of job */
	struct slice errors; /* standard error, its first INSPECTOR_ERRORS_MAX bytes; set also after -1 */
	int status; /* as of waitpid(2), of the process that has inspected the crate */
};

/* path: of the program.  Starts nothing yet. */
struct inspector *inspector_new(struct arena *, const char *path);

/* Ends its processes. */
void inspector_stop(struct inspector *);

/*
 * Inspects one crate, or reads it as the job says, from the position of the descriptor, and waits until
 * deadline_us of clock_us().  It ignores the job's number.  The result has no bytes of an earlier crate,
 * and no process that has seen one reads this crate.  -1: 503 past the deadline; 500 the program cannot be
 * started, ends without a report, or writes more than a verdict.
 */
int inspector_run(struct inspector *, struct arena *, const struct job *, int crate, int64_t deadline_us,
    struct inspector_result *, struct err *) __attribute__((warn_unused_result));

/*
 * inspector_run() in two steps, for a caller that can work while the process ends.  inspector_ask() returns
 * at the first newline of the output, or at its end; the result has the bytes so far and no status.  Do not
 * commit anything before inspector_end() and inspector_check_status() return 0: the process may still die or
 * write more.  One job at a time: call inspector_end() before the next one.  If you do not, the reset of the
 * arena waits for the process, as inspector_end() does.
 */
int inspector_ask(struct inspector *, struct arena *, const struct job *, int crate, int64_t deadline_us,
    struct inspector_result *, struct err *) __attribute__((warn_unused_result));

/*
 * Waits until the process has ended: until the deadline, and for a second at least.  -1: as inspector_run();
 * 500 also if no job is under way.
 */
int inspector_end(struct inspector *, struct inspector_result *, struct err *)
    __attribute__((warn_unused_result));

/* Checks that job_is_judged() is true for the status.  -1: 500, which names the status. */
int inspector_check_status(const struct inspector_result *, struct err *) __attribute__((warn_unused_result));

#endif
