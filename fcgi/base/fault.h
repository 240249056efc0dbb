#ifndef BASE_FAULT_H
#define BASE_FAULT_H

/*
 * Fault points: named places where a test lets the program die, wait or see an
 * error, so that what a crash leaves behind is tested at each step and not by
 * luck.  They are in the build with sanitizers only; elsewhere both macros
 * expand to nothing.
 *
 * The environment variable BERTH_FAULT names a file.  While it is there its one
 * line, `STEP:WHAT ACTION`, arms a point; the process that comes there first
 * takes the file away, as FILE.taken, and acts:
 *
 *	kill      SIGKILL of itself
 *	wait      goes on when FILE.taken disappears
 *	eio, ...  FAULT_FAILS is true, with errno set; see fault.c for the names
 *
 * If there is a FILE.next, it takes the place of the file that was taken away, so that two points act one
 * after the other.
 *
 * `STEP:WHAT hold` stays armed: each process that comes there makes FILE.PID, and goes on when that
 * disappears.
 * `* trace` arms nothing: each point that is passed is written to FILE.trace.
 */

#include <stdbool.h>

#ifdef BERTH_SANITIZED

/* True: an error is injected, with errno set; otherwise errno stays as it was. */
bool fault_point(const char *step, const char *what);

/* A place to die or wait. */
#define FAULT_POINT(step, what) ((void)fault_point((step), (what)))
/* The same before what may fail: FAULT_FAILS("blob", "fsync") || fsync(fd) == -1 */
#define FAULT_FAILS(step, what) fault_point((step), (what))

#else

#define FAULT_POINT(step, what) ((void)0)
#define FAULT_FAILS(step, what) false

#endif

#endif
