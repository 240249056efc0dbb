#ifndef CRATE_INSPECT_JOB_H
#define CRATE_INSPECT_JOB_H

/*
 * The messages between a worker of the pool and berth-inspect --serve, on a socket that keeps messages
 * apart (SOCK_SEQPACKET).  The worker hands over a job: one crate, or two, by descriptors, and the limits
 * for each.  A process that takes this one job answers with a verdict, on a descriptor that came with the
 * job.  When that process has ended, its parent reports how.
 *
 * Both sides count the jobs.  A process takes only the job with its own number, so that it refuses a job
 * that was sent twice; a report has the number of its job.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crate/inspect/inspect.h"

enum {
	JOB_FOLDER_MAX = 255, /* no file system has longer names */
	JOB_PATH_MAX = 1024, /* nor does a crate have longer paths */
	JOB_MESSAGE_MAX = 48 + JOB_FOLDER_MAX + JOB_PATH_MAX
};

enum job_kind {
	JOB_INSPECT, /* a verdict (crate/inspect/verdict.h) */
	JOB_LIST, /* the files of a crate, and ... */
	JOB_READ, /* ... one of them (crate/inspect/source.h) */
	JOB_DIFF, /* compares it with another crate (crate/inspect/crate_diff.h) */
	JOB__KINDS
};

/* Exit statuses of a process that has written a verdict, or another answer. */
enum { JOB_ACCEPTED = 0, JOB_REFUSED = 1 };

struct job {
	uint64_t number; /* from 1 */
	struct inspect_limits limits; /* with a folder */
	enum job_kind kind;
	const char *path; /* of JOB_READ: below the folder; of JOB_DIFF: the other crate's folder; else NULL */
	int other; /* of JOB_DIFF: the other crate, read from its position; sent with the first */
};

struct job_fds {
	int crate; /* to read, from where it stands */
	int verdict; /* to write */
};

struct job_report {
	uint64_t number; /* of the job */
	int status; /* of its process, as of waitpid(2) */
};

/* Has a process with this status of waitpid(2) written a verdict? */
bool job_is_judged(int status);

/* The length of the message; 0: folder or path has no or too many bytes. */
size_t job_encode(const struct job *, char message[JOB_MESSAGE_MAX]);

/*
 * Reads a message of n bytes.  The buffer must have room for one more byte; folder and path of the job
 * point into it.  -1: 500, it is not what job_encode() writes.
 */
int job_decode(char *message, size_t n, struct job *, struct err *) __attribute__((warn_unused_result));

/* -1: 500; the descriptors stay open on this side in any case. */
int job_send(int socket, const struct job *, const struct job_fds *, struct err *)
    __attribute__((warn_unused_result));

/*
 * Waits for a job.  1: the job has come with its descriptors, which are closed on exec; the message is as
 * for job_decode().  0: the other side has closed the socket.  -1: 500.
 */
int job_receive(int socket, char message[JOB_MESSAGE_MAX + 1], struct job *, struct job_fds *, struct err *)
    __attribute__((warn_unused_result));

int job_report_send(int socket, const struct job_report *, struct err *) __attribute__((warn_unused_result));

/* 1, 0 and -1 as job_receive(). */
int job_report_receive(int socket, struct job_report *, struct err *) __attribute__((warn_unused_result));

#endif
