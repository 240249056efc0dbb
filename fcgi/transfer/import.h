#ifndef TRANSFER_IMPORT_H
#define TRANSFER_IMPORT_H

/*
 * Imports what a source has, by several processes, each with a session and an inspector of its own.  One
 * process imports a crate, version after version, each in a transaction of its own: an import that is
 * stopped, in whatever way, goes on when it is started again.
 */

#include <stddef.h>

#include "transfer/import_source.h"
#include "transfer/import_version.h"

enum { IMPORT_PROCESSES_MAX = 64 };

struct import_report {
	enum import_result result;
	const char *crate;
	const char *version; /* "": it is about the crate */
	const char *why; /* cut to some hundred bytes */
};

struct import {
	const struct import_job *job;
	const struct import_source *source;
	size_t processes;
	int64_t wait_us; /* at the end, for nodes that serve the crates' files as they were */
	/* told of each version but those that are imported or there without more to say */
	void (*say)(void *arg, const struct import_report *);
	void *arg;
	size_t counts[IMPORT__MAX]; /* what has become of the versions, and of crates */
};

/*
 * Returns when all processes have ended, which also end with this one.  Files are written as the owner of the
 * store, where the caller is root.  -1: one of them could not go on: err says why; what was done stays.
 */
int import_run(struct import *, struct arena *, struct err *) __attribute__((warn_unused_result));

#endif
