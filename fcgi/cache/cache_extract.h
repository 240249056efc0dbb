#ifndef CACHE_CACHE_EXTRACT_H
#define CACHE_CACHE_EXTRACT_H

/*
 * Extracts are what takes long to make and depends on nothing that changes: answers of the inspector about
 * stored crates, for pages (the list of files of a crate, or the differences between two), and index files
 * of groups (api/cargo/view_kept.h).  A worker keeps each in a file, so that the next reader does not wait.
 *
 *	extract/7/KEY    of project 7; KEY: 64 hexadecimal digits.  It begins with the SHA-256 of the rest.
 *
 * KEY is a digest of all that the answer depends on, and crates do not change, so an extract is never
 * stale.  It gives no right to read: nginx cannot reach it, and a worker opens it only after the access
 * decision.
 *
 * Workers write extracts and pages (cache/cache_page.h); only the keeper writes elsewhere in cache_dir.  It
 * takes the extracts of a project away together with its other files (cache/cache_tree.h), and all of them
 * when it starts.  A worker that writes a large extract, or some small ones, removes the oldest ones of all
 * projects until they fit: to look at all of them takes longer than to write one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/sha256.h"
#include "base/slice.h"

enum {
	CACHE_EXTRACT_BYTES_MAX = 256 << 20, /* of all projects */
	CACHE_EXTRACT_FILES_MAX = 4096,
	CACHE_EXTRACT_SMALL = 1 << 20, /* bytes */
	CACHE_EXTRACT_BOUND_EVERY = 16 /* small ones */
};

struct cache_extract {
	const char *dir; /* cache_dir; "": there is none, and nothing is kept */
	int64_t project_id;
	unsigned char key[SHA256_SIZE];
};

/* Reads the extract into the arena.  False: it does not exist, is not whole, or has more than max bytes. */
bool cache_extract_read(struct arena *, const struct cache_extract *, size_t max, struct slice *out);

/*
 * Writes the extract, whole or not at all.  It logs an error and goes on, because the extract can be made
 * again.
 */
void cache_extract_write(struct arena *, const struct cache_extract *, struct slice);

#endif
