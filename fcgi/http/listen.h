#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

/*
 * The listening socket: bound by ourselves, inherited on descriptor 0 (as
 * spawn-fcgi does it), or passed by systemd (LISTEN_PID, LISTEN_FDS).
 */

#include <stdbool.h>

#include "base/err.h"
#include "base/settings.h"

/*
 * The socket, non-blocking and close-on-exec.  *own is set where we bound it
 * and so should unlink it at the end.  A stale socket file is replaced; one on
 * which somebody answers, or a file of another kind, is an error that says so.
 * -1: err.
 */
int listen_open(const struct settings *, bool *own, struct err *)
    __attribute__((warn_unused_result));

/*
 * Could the configured socket be bound, as far as can be said without doing it?  -1: err,
 * a path that is too long, a socket_owner that does not exist.
 */
int listen_check(const struct settings *, struct err *) __attribute__((warn_unused_result));

#endif
