#ifndef STORE_PUBLIC_DIR_OWN_H
#define STORE_PUBLIC_DIR_OWN_H

/* What public_dir.c and public_tree.c share, and nobody else sees. */

#include <dirent.h>
#include <stdint.h>

#include "store/public_dir.h"

enum {
	PUBLIC_DIR_OWN_MODE = 0600, /* of what is for the pool alone */
	PUBLIC_DIR_NODE_BYTES = 16
};

struct public_dir {
	int root;
	int lock;
	int want;
	unsigned made; /* names in the trash, so that each has another */
	int64_t started_us;
	char node[2 * PUBLIC_DIR_NODE_BYTES + 1];
};

/* As err_disk(). */
int public_dir_error(struct err *, const char *what);

/* A directory that nginx can read; it may be there.  -1: 500, 503. */
int public_dir_make(int at, const char *path, struct err *) __attribute__((warn_unused_result));

/* NULL at the end, which an error is not: what was not seen would stay.  0, or -1 with errno. */
int public_dir_next(DIR *, struct dirent **) __attribute__((warn_unused_result));

#endif
