#include "cache/cache_node.h"

#include <poll.h>

#include "base/clock.h"

/* Pauses between two questions.  Most nodes acknowledge within a few milliseconds. */
enum { LOOK_MIN_MS = 1, LOOK_MAX_MS = 20, AWAY_MS = 50 };

/* False: this session has surely sent the keepers nothing. */
static bool
has_told(struct db *db, struct arena *a)
{
	enum { COLUMNS_CACHE_TOLD };
	struct err away;
	struct db_result r;
	bool unknown;

	if (!db_take_commit(db, &unknown))
		return false;
	/* a session that is lost, or does not answer, may have sent something */
	return db_exec(db, a, STMT_CACHE_TOLD, NULL, &r, &away) == -1 || unknown ||
	    /* a pooler may have begun to share this session */
	    db_is_pooled(db) || db_bool(&r, 0, TOLD);
}

/* *hosts: those of nodes that have not acknowledged the number and still have a lease; NULL: none. */
static int
who_is_left(struct db *db, struct arena *a, int64_t number, const char **hosts, struct err *err)
{
	enum { COLUMNS_CACHE_SYNC_LEFT };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_int(&p, number);
	if (db_exec(db, a, STMT_CACHE_SYNC_LEFT, &p, &r, err) == -1)
		return -1;
	*hosts = db_str(&r, 0, HOSTS);
	return 0;
}

/* Asks all nodes to acknowledge, and waits until they have. */
static int
wait_for_nodes(struct db *db, struct arena *a, int64_t until_us, struct err *err)
{
	enum { COLUMNS_CACHE_SYNC };
	const char *hosts;
	struct db_result r;
	int64_t number;

	if (db_exec(db, a, STMT_CACHE_SYNC, NULL, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return 0;
	number = db_int(&r, 0, NUMBER);
	for (int ms = LOOK_MIN_MS;; ms = 2 * ms < LOOK_MAX_MS ? 2 * ms : LOOK_MAX_MS) {
		if (who_is_left(db, a, number, &hosts, err) == -1)
			return -1;
		if (hosts == NULL)
			return 0;
		if (clock_us() >= until_us)
			return err_internal(err, 503, "not acknowledged by %s", hosts);
		(void)poll(NULL, 0, ms);
	}
}

int
cache_barrier(struct db *db, struct arena *a, int64_t until_us, struct err *err)
{
	if (!has_told(db, a))
		return 0;
	while (wait_for_nodes(db, a, until_us, err) == -1) {
		/* the database may come back, and any session can ask again */
		if (err->status != 503 || clock_us() >= until_us)
			return -1;
		err_clear(err);
		(void)poll(NULL, 0, AWAY_MS);
	}
	return 0;
}

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
write_row(struct db *db, struct arena *a, enum stmt stmt, const struct db_params *p, int64_t *written,
    struct err *err)
{
	enum { COLUMNS_CACHE_REGISTER };
	struct db_result r;

	if (db_exec(db, a, stmt, p, &r, err) == -1)
		return -1;
	if (r.rows != 1)
		return err_internal(err, 503, "this node's lease has ended, or its row in cache_nodes "
		    "was replaced");
	*written = db_int(&r, 0, WRITTEN);
	return 0;
}

int
cache_node_register(struct db *db, struct arena *a, const char *node, const char *host,
    int64_t seconds, int64_t *written, struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_str(&p, node);
	db_bind_str(&p, host);
	db_bind_int(&p, seconds);
	if (db_exec(db, a, STMT_CACHE_FORGET, NULL, NULL, err) == -1)
		return -1;
	return write_row(db, a, STMT_CACHE_REGISTER, &p, written, err);
}

int
cache_node_renew(struct db *db, struct arena *a, const char *node, int64_t seconds, int64_t *written,
    struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_str(&p, node);
	db_bind_int(&p, seconds);
	db_bind_int(&p, *written);
	return write_row(db, a, STMT_CACHE_RENEW, &p, written, err);
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
	struct db_params p = { .n = 0 };

	db_bind_str(&p, node);
	db_bind_int(&p, number);
	db_bind_int(&p, *written);
	return write_row(db, a, STMT_CACHE_ACKNOWLEDGE, &p, written, err);
}
