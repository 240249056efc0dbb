#ifndef CACHE_CACHE_DIR_OWN_H
#define CACHE_CACHE_DIR_OWN_H

/* Shared by cache_dir.c, cache_extract.c, cache_grant.c, cache_invalidate.c, cache_page.c, cache_tree.c. */

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "cache/cache_board.h"
#include "cache/cache_dir.h"
#include "cache/cache_grant.h"
#include "cache/cache_tree.h"

enum {
	CACHE_DIR_MODE = 0777, /* the umask restricts both: nginx must be able to read these */
	CACHE_FILE_MODE = 0666,
	CACHE_DIR_OWN_MODE = 0600, /* of files for the pool alone */
	CACHE_DIR_NODE_BYTES = (CACHE_NODE_SIZE - 1) / 2
};

struct cache_grants {
	struct grant {
		enum grant_kind kind;
		struct cache_who who;
		uint64_t prefix; /* of an IPv6 address its /64, of anything else 0 */
		int64_t namespace;
		int64_t end_us, renew_us;
	} *v; /* oldest first */
	size_t n, size;
	size_t of_kind[GRANT__KINDS];
};

/* A ring; a mark that went with its crate's publish stays in it until its turn comes. */
struct cache_absent {
	struct mark {
		int64_t namespace;
		char name[CRATE_NAME_MAX + 1];
	} v[CACHE_ABSENT_MAX];
	size_t n, next;
};

struct cache_dir {
	char *path;
	int root;
	int lock;
	int hint;
	unsigned made; /* counts names in the trash, so that each differs */
	bool trash; /* it may have files */
	int64_t started_us;
	char node[CACHE_NODE_SIZE];
	/* the lease, in calendar seconds; last < first: none */
	time_t first, last;
	bool stale; /* stale/ may have names */
	char epoch[CACHE_EPOCH_SIZE]; /* the epoch that the lease points at; "": none */
	struct cache_grants grants; /* of the epoch */
	struct cache_absent absent;
};

/* Sets err by errno as err_disk() does, with the whole path of `what` and the remedy.  Returns -1. */
int cache_dir_error(const struct cache_dir *, const char *what, struct err *);

/* Is there something of that name, also a link that leads nowhere?  False: errno. */
bool cache_dir_has(const struct cache_dir *, const char *path);

/* Makes a directory that nginx can read, unless it exists.  -1: 500, 503. */
int cache_dir_make(const struct cache_dir *, const char *path, struct err *)
    __attribute__((warn_unused_result));

/* Opens a directory to list it; fails for a symbolic link.  NULL with errno. */
DIR *cache_dir_list(int at, const char *name);

/*
 * Calls the function with the name of each entry of a directory; `at` is the descriptor of the directory.  An
 * entry that it cannot read is an error, since the caller would leave it.  -1: the function's error, or 500,
 * 503.
 */
typedef int cache_dir_fn(void *arg, int at, const char *name, struct err *);
int cache_dir_each(const struct cache_dir *, const char *path, cache_dir_fn *, void *arg, struct err *)
    __attribute__((warn_unused_result));

/* Renames `from` to `path`: makes missing directories, and replaces a file that has this name.  -1: errno. */
int cache_dir_move(int at, const char *from, char *path) __attribute__((warn_unused_result));

/*
 * Writes a file, whole or not at all: first under the temporary name, which one process uses at a time.
 * times: as those of futimens().  -1: errno.
 */
int cache_dir_put(int at, const char *temporary, char *path, mode_t, struct slice bytes,
    const struct timespec *times) __attribute__((warn_unused_result));

#endif
