#ifndef CRATE_ARCHIVE_TAR_WALK_H
#define CRATE_ARCHIVE_TAR_WALK_H

/*
 * A tar archive, read strictly as it comes in, in pieces of any size.  Only
 * files and directories, each with at most one header before it that gives it a
 * longer name; nothing but zeros where there is padding and after the end.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

struct tar_entry {
	struct slice path; /* as written: nothing is checked but that it holds no NUL */
	bool directory;
	uint64_t size; /* 0 of a directory */
	unsigned mode;
	struct slice headers; /* all blocks of its header, for a second reader */
};

/* What the walk finds, in order.  Slices are good for the call.  -1 ends the walk. */
struct tar_handler {
	int (*entry)(void *arg, const struct tar_entry *, struct err *);
	int (*data)(void *arg, struct slice, struct err *); /* in pieces, size bytes altogether */
	int (*done)(void *arg, struct err *); /* the entry's data was all there */
};

struct tar_limits {
	uint64_t max_entries; /* files and directories */
	uint64_t max_bytes; /* of the archive; reaching it is already too much */
};

struct tar_walk;

/* Lives in the arena; the handler must live as long. */
struct tar_walk *tar_walk_new(struct arena *, const struct tar_limits *,
    const struct tar_handler *, void *arg);

/* The next bytes.  -1: 400, or what the handler said. */
int tar_walk_push(struct tar_walk *, struct slice, struct err *)
    __attribute__((warn_unused_result));

/* No more bytes come.  -1: 400, the archive is not complete. */
int tar_walk_end(const struct tar_walk *, struct err *) __attribute__((warn_unused_result));

uint64_t tar_walk_entries(const struct tar_walk *);

#endif
