#include "store/blob/store_node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/decimal.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "store/blob/blob.h"
#include "store/blob/store_file.h"

enum { DIGEST_BYTES = 16, DAY_S = 86400 };

void
store_node_name(const char *configured, char out[STORE_NODE_NAME_SIZE])
{
	out[0] = out[STORE_NODE_NAME_SIZE - 1] = '\0';
	if (configured[0] != '\0')
		snprintf(out, STORE_NODE_NAME_SIZE, "%s", configured);
	else if (gethostname(out, STORE_NODE_NAME_SIZE - 1) == -1 || out[0] == '\0')
		snprintf(out, STORE_NODE_NAME_SIZE, "localhost");
}

/* A node's name may have slashes, so the file is named by its digest. */
static int
file_name(struct arena *a, const char *node, const char **name, struct err *err)
{
	unsigned char digest[SHA256_SIZE];
	char hex[2 * DIGEST_BYTES + 1];
	struct sha256 hash;

	if (!sha256_begin(&hash) || !sha256_add(&hash, node, strlen(node)) || !sha256_end(&hash, digest))
		return err_internal(err, 500, "SHA-256 failed");
	hex_encode(digest, DIGEST_BYTES, hex);
	*name = arena_printf(a, STORE_NODES "/%s", hex);
	return 0;
}

int
store_node_show(struct db *db, struct arena *a, const char *store, const char *node, struct err *err)
{
	enum { COLUMNS_STORE_NODE_DUE };
	struct db_params due = { .n = 0 }, seen = { .n = 0 };
	struct db_result r;
	const char *name = NULL;
	int64_t now;

	db_bind_str(&due, node);
	if (db_exec(db, a, STMT_STORE_NODE_DUE, &due, &r, err) == -1)
		return -1;
	if (!db_bool(&r, 0, DUE))
		return 0;
	now = db_int(&r, 0, NOW);
	/* write the file first: a node that cannot write it does not exist for the others */
	if (file_name(a, node, &name, err) == -1 ||
	    store_file_write(store, name, arena_printf(a, "%" PRId64 " %s", now, node), true, err) == -1)
		return -1;
	db_bind_str(&seen, node);
	db_bind_int(&seen, now);
	return db_exec(db, a, STMT_STORE_NODE_SEEN, &seen, NULL, err);
}

static int
not_shared(struct err *err, const char *store, const char *node, const char *what)
{
	return err_internal(err, 503, "store %s: the node %s uses this registry, but %s here; give all nodes the "
	    "same file system as store (berth-operations(7))", store, node, what);
}

int
store_node_look(struct db *db, struct arena *a, const char *store, const char *node, struct err *err)
{
	enum { COLUMNS_STORE_NODE_OTHERS };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, node);
	if (db_exec(db, a, STMT_STORE_NODE_OTHERS, &p, &r, err) == -1)
		return -1;
	for (int i = 0; i < r.rows; i++) {
		char line[DECIMAL_SIZE + STORE_NODE_NAME_SIZE];
		const char *name = NULL;
		int found;

		/* the file of a new node may not be visible yet */
		if (db_int(&r, i, AGE) < STORE_NODE_SLACK_S)
			continue;
		if (file_name(a, db_str(&r, i, NODE), &name, err) == -1 ||
		    (found = store_file_read(store, name, line, sizeof(line), err)) == -1)
			return -1;
		if (found == 0)
			return not_shared(err, store, db_str(&r, i, NODE), "its file is missing");
		if (strtoll(line, NULL, 10) < db_int(&r, i, SEEN) - STORE_NODE_SLACK_S)
			return not_shared(err, store, db_str(&r, i, NODE), "its file is an old copy");
	}
	return 0;
}

int
store_node_sweep(struct db *db, struct arena *a, const char *store, struct err *err)
{
	DIR *d = opendir(arena_printf(a, "%s/" STORE_NODES, store));
	unsigned char digest[DIGEST_BYTES];
	struct dirent *entry;
	struct stat st;

	if (d == NULL)
		return errno == ENOENT ? 0 : err_disk(err, "store %s: open " STORE_NODES, store);
	while ((entry = readdir(d)) != NULL) {
		if (hex_decode(slice_str(entry->d_name), digest, sizeof(digest)) &&
		    fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_mtime < time(NULL) - DAY_S)
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	}
	closedir(d);
	return db_exec(db, a, STMT_STORE_NODE_SWEEP, NULL, NULL, err);
}
