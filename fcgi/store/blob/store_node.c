#include "store/blob/store_node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/decimal.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "store/blob/blob.h"
#include "store/blob/store_file.h"
#include "store/db/migrations.h"

enum { DIGEST_BYTES = STORE_NODE_FILE_BYTES, DAY_S = 86400 };

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
store_node_show(struct db *db, struct arena *a, const struct blob_store *store, const struct store_node *node,
    struct err *err)
{
	enum { COLUMNS_STORE_NODE_DUE };
	struct db_params due = { .n = 0 }, seen = { .n = 0 };
	struct db_result r;
	const char *name = NULL;
	int64_t now;

	db_bind_str(&due, node->name);
	if (db_exec(db, a, STMT_STORE_NODE_DUE, &due, &r, err) == -1)
		return -1;
	if (!db_bool(&r, 0, DUE))
		return 0;
	now = db_int(&r, 0, NOW);
	/* write the file first: a node that cannot write it does not exist for the others */
	if (file_name(a, node->name, &name, err) == -1 ||
	    store_file_write(store, name, arena_printf(a, "%" PRId64 " %s", now, node->name), true, err) == -1)
		return -1;
	db_bind_str(&seen, node->name);
	db_bind_int(&seen, now);
	db_bind_str(&seen, BERTH_VERSION);
	db_bind_int(&seen, migrations_newest());
	db_bind_str(&seen, node->external_url);
	db_bind_str(&seen, node->keys != NULL ? node->keys : "");
	return db_exec(db, a, STMT_STORE_NODE_SEEN, &seen, NULL, err);
}

int
store_node_agree(struct db *db, struct arena *a, const struct store_node *node, struct err *err)
{
	enum { COLUMNS_STORE_NODE_COMMON };
	struct db_params p = { .n = 0 };
	struct db_result r;
	const char *common;

	db_bind_str(&p, node->name);
	db_bind_str(&p, node->external_url);
	if (db_exec(db, a, STMT_STORE_NODE_COMMON, &p, &r, err) == -1)
		return -1;
	common = db_str(&r, 0, EXTERNAL_URL);
	if (common == NULL || strcmp(common, node->external_url) == 0)
		return 0;
	return err_internal(err, 503,
	    "external_url of this node is %s, and most nodes of the registry have %s: make "
	    "them equal in berth.conf (`berth node list`)", node->external_url, common);
}

int
store_node_list(struct db *db, struct arena *a, struct store_node_row **rows, size_t *n, struct err *err)
{
	enum { COLUMNS_STORE_NODE_LIST };
	struct db_result r;

	if (db_exec(db, a, STMT_STORE_NODE_LIST, NULL, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*rows = arena_calloc(a, *n, sizeof(**rows));
	for (int i = 0; i < r.rows; i++) {
		(*rows)[i] = (struct store_node_row) { .name = db_str(&r, i, NODE), .version = db_str(&r, i, VERSION),
			.external_url = db_str(&r, i, EXTERNAL_URL), .keys = db_str(&r, i, KEYS),
			.schema = db_int_or_0(&r, i, SCHEMA), .since = db_int(&r, i, SINCE),
			.seen_at = db_int(&r, i, SEEN_AT), .live = db_bool(&r, i, LIVE),
			.differs = db_str(&r, i, DIFFERS), .cached = !db_is_null(&r, i, LEASE_MS),
			.lease_ms = db_int_or_0(&r, i, LEASE_MS), .stale_s = db_int_or_0(&r, i, STALE_S),
			.compared = !db_is_null(&r, i, BEHIND), .behind = db_int_or_0(&r, i, BEHIND) };
	}
	return 0;
}

static int
not_shared(struct err *err, const struct blob_store *store, const char *node, const char *what)
{
	return err_internal(err, 503, "store %s: the node %s uses this registry, but %s here; give all nodes the "
	    "same store (berth-operations(7))", store->name, node, what);
}

int
store_node_look(struct db *db, struct arena *a, const struct blob_store *store, const char *node,
    struct err *err)
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

struct sweep {
	struct arena *arena;
	const struct blob_store *store;
};

static int
sweep_one(void *arg, const struct blob_entry *e, struct err *err)
{
	const struct sweep *s = arg;

	if (e->st.modified >= time(NULL) - DAY_S)
		return 0;
	return s->store->kind->remove(s->store, s->arena, arena_printf(s->arena, STORE_NODES "/%s", e->name), err);
}

int
store_node_sweep(struct db *db, struct arena *a, const struct blob_store *store, struct err *err)
{
	struct sweep s = { a, store };

	if (store->kind->list(store, STORE_NODES, sweep_one, &s, err) == -1)
		return -1;
	return db_exec(db, a, STMT_STORE_NODE_SWEEP, NULL, NULL, err);
}
