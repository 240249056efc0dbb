#ifndef CRATE_INSPECT_TEMPLATE_H
#define CRATE_INSPECT_TEMPLATE_H

/*
 * The template of berth-inspect --serve: a process that has started all libraries and forks one child for
 * each job (crate/inspect/job.h).  The child exists before its job comes, and ends with it.  There is never
 * more than one child, and the template itself opens no crate.
 */

#include "base/err.h"
#include "crate/inspect/job.h"

enum { TEMPLATE_OTHER = 3 /* the first descriptor behind standard error */ };

/*
 * Forks children one after another, and reports the end of each on the socket.  Returns 1 in a child that has
 * taken a job: the crate is its standard input, the verdict its standard output, another crate is
 * TEMPLATE_OTHER, and the socket is closed.
 * Returns 0 in each process when the worker has gone.  -1: 500.
 */
int template_run(int socket, char message[JOB_MESSAGE_MAX + 1], struct job *, struct err *)
    __attribute__((warn_unused_result));

#endif
