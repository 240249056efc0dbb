#include "cache/cache_node.h"

#include "base/random.h"

int
cache_node_listen(struct db *db, struct arena *a, struct err *err)
{
	if (db_exec(db, a, STMT_CACHE_LISTEN_KEEPERS, NULL, NULL, err) == -1)
		return -1;
	return db_exec(db, a, STMT_CACHE_LISTEN, NULL, NULL, err);
}

int
cache_node_probe(struct db *db, struct arena *a, int64_t *number, struct err *err)
{
	enum { COLUMNS_CACHE_PROBE };
	struct db_result r;

	if (db_exec(db, a, STMT_CACHE_PROBE, NULL, &r, err) == -1)
		return -1;
	*number = db_int(&r, 0, NUMBER);
	return 0;
}

/* Runs what writes a node's row; no row: it is not as we have left it. */
static int
write_row(struct db *db, struct arena *a, enum stmt stmt, const struct db_params *p, struct db_result *r,
    struct err *err)
{
	if (db_exec(db, a, stmt, p, r, err) == -1)
		return -1;
	return r->rows == 1 ? 0 : err_internal(err, 503, "this node's lease has ended, or its row in "
	    "cache_nodes was replaced");
}

/* The same, of a row that we have written before. */
static int
rewrite_row(struct db *db, struct arena *a, enum stmt stmt, const char *node, int64_t number,
    int64_t *written, struct err *err)
{
	enum { COLUMNS_CACHE_RENEW }; /* cache_acknowledge has the same */
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, node);
	db_bind_int(&p, number);
	db_bind_int(&p, *written);
	if (write_row(db, a, stmt, &p, &r, err) == -1)
		return -1;
	*written = db_int(&r, 0, WRITTEN);
	return 0;
}

static int
begin_run(struct db *db, struct arena *a, struct err *err)
{
	struct db_params p = { .n = 0 };
	int64_t id;

	if (random_bytes(&id, sizeof(id), err) == -1)
		return -1;
	db_bind_int(&p, id);
	return db_exec(db, a, STMT_CACHE_BEGIN_RUN, &p, NULL, err);
}

int
cache_node_register(struct db *db, struct arena *a, const char *node, const char *host,
    int64_t seconds, int64_t stale_s, struct cache_registration *out, struct err *err)
{
	enum { COLUMNS_CACHE_REGISTER };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, node);
	db_bind_str(&p, host);
	db_bind_int(&p, seconds);
	db_bind_int(&p, stale_s);
	if (begin_run(db, a, err) == -1 || db_exec(db, a, STMT_CACHE_FORGET, NULL, NULL, err) == -1 ||
	    write_row(db, a, STMT_CACHE_REGISTER, &p, &r, err) == -1)
		return -1;
	*out = (struct cache_registration) { .written = db_int(&r, 0, WRITTEN),
		.number = db_int(&r, 0, SYNCED), .server = db_int(&r, 0, SERVER) };
	return 0;
}

int
cache_node_renew(struct db *db, struct arena *a, const char *node, int64_t seconds, int64_t *written,
    struct err *err)
{
	return rewrite_row(db, a, STMT_CACHE_RENEW, node, seconds, written, err);
}

int
cache_node_release(struct db *db, struct arena *a, const char *node, struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_str(&p, node);
	return db_exec(db, a, STMT_CACHE_RELEASE, &p, NULL, err);
}

int
cache_node_next(struct db *db, struct cache_message *m, struct err *err)
{
	char text[128];

	if (!db_notification(db, text, sizeof(text)))
		return 0;
	return cache_message_parse(text, m) ? 1
	    : err_internal(err, 500, "the notification `%s` on berth_cache or berth_keepers is malformed", text);
}

int
cache_node_acknowledge(struct db *db, struct arena *a, const char *node, int64_t number,
    int64_t *written, struct err *err)
{
	return rewrite_row(db, a, STMT_CACHE_ACKNOWLEDGE, node, number, written, err);
}
