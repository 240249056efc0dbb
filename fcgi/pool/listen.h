#ifndef POOL_LISTEN_H
#define POOL_LISTEN_H

/*
 * The listening sockets, one for each kind of workers: bound by ourselves, or passed by systemd
 * (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES); or one for all, inherited on descriptor 0 (as
 * spawn-fcgi does it) or passed by systemd alone.
 */

#include <stdbool.h>

#include "base/err.h"
#include "config/settings.h"

enum worker_kind {
	WORKER_READ, /* serves requests that nginx sends to `socket` */
	WORKER_WRITE, /* serves requests that nginx sends to `write_socket`: those that may write */
	WORKER__KINDS
};

struct listeners {
	int fd[WORKER__KINDS]; /* WORKER_WRITE may be -1: then the other socket takes everything */
	bool own; /* we have bound them, and unlink them at the end */
};

/*
 * Opens the sockets, non-blocking and close-on-exec, the one for reads last.  A stale socket file is
 * replaced; one on which somebody answers, or a file of another kind, is an error that says so.
 * -1: err, and nothing is open.
 */
int listen_open(const struct settings *, struct listeners *, struct err *)
    __attribute__((warn_unused_result));

/* Closes the sockets, and removes the files of our own ones. */
void listen_close(const struct settings *, struct listeners *);

/*
 * Could the configured sockets be bound, as far as can be said without doing it?  -1: err,
 * a path that is too long or is there twice, a socket_owner that does not exist.
 */
int listen_check(const struct settings *, struct err *) __attribute__((warn_unused_result));

#endif
