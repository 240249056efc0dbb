#ifndef TRANSFER_IMPORT_H
#define TRANSFER_IMPORT_H

/*
 * Imports all crates of a source by several processes, each with its own session and inspector.  One
 * process imports a crate, version after version, each in its own transaction: you can stop an import in
 * any way, and it continues when you start it again.
 */

#include <stddef.h>

#include "transfer/import_source.h"
#include "transfer/import_version.h"

enum { IMPORT_PROCESSES_MAX = 64 };

struct import_report {
	enum import_result result;
	const char *crate;
	const char *version; /* "": it is about the crate */
	const char *why; /* as long as an error can be */
};

struct import {
	const struct import_job *job;
	const struct import_source *source;
	size_t processes;
	int64_t wait_us; /* how long to wait, at the end, until no node serves old files of the crates */
	/* gets each version, except those that are imported, or exist already, without a remark */
	void (*say)(void *arg, const struct import_report *);
	void *arg;
	size_t counts[IMPORT__MAX]; /* of versions, and of crates, by result */
	/* how many of them are crates whose versions are unknown: IMPORT_REFUSED and IMPORT_MISSING */
	size_t unlisted[IMPORT__VERSIONS];
};

/*
 * Returns when all processes have ended; they also end with this process.  If the caller is root, files
 * belong to the owner of the store.  -1: a process could not go on, and err says why; imported versions
 * stay.
 */
int import_run(struct import *, struct arena *, struct err *) __attribute__((warn_unused_result));

#endif
