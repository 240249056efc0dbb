#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

/*
 * Confines a process before it reads hostile bytes: it gets limits of memory and time, cannot open files,
 * and loses every system call that reading, reading again, writing and allocating do not need.  It cannot
 * leave the sandbox.
 *
 * In a build with sanitizers (BERTH_SANITIZED) nothing is given up: they need
 * terabytes of address space and system calls of their own.
 */

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct sandbox_limits {
	uint64_t memory; /* bytes of address space, libraries included */
	uint64_t cpu_seconds; /* the process is killed at so many */
	uint64_t file_size; /* of standard output, where it is a file */
	unsigned descriptors; /* that stay open behind standard error */
};

/* The filter of system calls, ready for the kernel. */
struct sandbox;

/*
 * Makes the filter, which takes longer than to enter the sandbox.  A process that was forked since may
 * enter as well.  NULL: 500.
 */
struct sandbox *sandbox_new(struct arena *, struct err *);

/*
 * All other descriptors above 2 are closed.  A forbidden system call kills the process
 * (SIGSYS).  -1: 500, and the process must not go on.
 */
int sandbox_enter(const struct sandbox *, const struct sandbox_limits *, struct err *)
    __attribute__((warn_unused_result));

#endif
