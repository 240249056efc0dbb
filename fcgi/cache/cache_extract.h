#ifndef CACHE_CACHE_EXTRACT_H
#define CACHE_CACHE_EXTRACT_H

/*
 * Extracts: what the inspector has said of stored crates for pages, such as the list of files of one, or how
 * two differ.  A worker keeps each in a file, and the next reader does not wait for the inspector.
 *
 *	extract/7/KEY    of project 7; KEY: 64 hexadecimal digits
 *
 * KEY is a digest of all that the answer depends on, and crates do not change, so an extract is never stale.
 * It is no right to read: nginx has no way to it, and a worker opens it only after it has decided.
 *
 * Workers write here, and the keeper alone everywhere else in cache_dir.  It takes the extracts of a project
 * away together with its other files (cache/cache_tree.h), and all of them when it starts.  A worker that
 * writes one removes the oldest of all until they fit.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/sha256.h"
#include "base/slice.h"

enum {
	CACHE_EXTRACT_BYTES_MAX = 256 << 20, /* of all projects */
	CACHE_EXTRACT_FILES_MAX = 4096
};

struct cache_extract {
	const char *dir; /* cache_dir; "": there is none, and nothing is kept */
	int64_t project_id;
	unsigned char key[SHA256_SIZE];
};

/* Finds it.  False: there is none, or none that can be read, or it has more than max bytes. */
bool cache_extract_read(struct arena *, const struct cache_extract *, size_t max, struct slice *out);

/* Keeps it, whole or not at all.  What goes wrong is logged: it is only made again. */
void cache_extract_write(struct arena *, const struct cache_extract *, struct slice);

#endif
