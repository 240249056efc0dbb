#include "cache/cache_barrier.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Pauses between two questions to the database. */
enum {
	LOOK_MIN_MS = 1,
	LOOK_MAX_MS = 20,
	AWAY_MS = 50,
	/* another node may have begun anew, which it tells nobody but the database */
	OTHERS_MS = 100
};

struct node {
	char name[CACHE_NODE_SIZE];
	char host[64]; /* cut to fit */
	int64_t end_us; /* the last known end of its lease or of its stale mode */
};

struct nodes {
	struct node *v;
	size_t n, room;
};

struct cache_barrier {
	struct db *db;
	struct cache_board *board; /* NULL: there is none */
	uint32_t reconnects; /* of the keeper that this session knows of */
	/* of the session; one connection string may lead to several servers, by its hosts or a balancer */
	uint64_t connection; /* by db_connections(): the connection to that server */
	int64_t session_server; /* 0: not known */
	_Atomic int64_t confirmed_us; /* by clock_us(): the last commit that it has confirmed itself */
	int64_t number, server; /* what was asked last */
	char own[CACHE_NODE_SIZE]; /* the node whose board was told; "": none */
	struct nodes left; /* the nodes that are not known to have acknowledged the number */
	struct nodes stale; /* the nodes whose lease has ended, and which may be in stale mode until end_us */
};

static void
bind_sync(struct cache_barrier *b, struct db_call *call, bool in_any_case)
{
	const char *own = b->board == NULL ? NULL : cache_board_own(b->board);

	b->own[0] = '\0';
	if (own != NULL)
		memcpy(b->own, own, CACHE_NODE_SIZE);
	call->stmt = STMT_CACHE_SYNC;
	db_bind_str(&call->params, own == NULL ? NULL : b->own);
	db_bind_bool(&call->params, in_any_case);
}

static int
add_to(struct nodes *nodes, const char *name, const char *host, int64_t left_ms, struct err *err)
{
	struct node *node;

	if (nodes->n == nodes->room) {
		size_t room = 2 * nodes->room + 4;
		struct node *more = reallocarray(nodes->v, room, sizeof(*more));

		if (more == NULL)
			return err_sys(err, "nodes");
		nodes->v = more;
		nodes->room = room;
	}
	node = &nodes->v[nodes->n++];
	*node = (struct node) { .end_us = clock_us() + left_ms * 1000 };
	snprintf(node->name, sizeof(node->name), "%s", name);
	snprintf(node->host, sizeof(node->host), "%s", host);
	return 0;
}

/* Adds the node of a row to those with a lease, or to those that may be in stale mode. */
static int
add_node(struct cache_barrier *b, const struct db_result *r, int row, struct err *err)
{
	enum { COLUMNS_CACHE_LEFT };
	int64_t left_ms = db_int(r, row, LEFT_MS);

	return left_ms > 0 ? add_to(&b->left, db_str(r, row, NODE), db_str(r, row, HOST), left_ms, err)
	    : add_to(&b->stale, db_str(r, row, NODE), db_str(r, row, HOST), db_int(r, row, STALE_MS), err);
}

static void
forget_nodes(struct cache_barrier *b)
{
	b->left.n = b->stale.n = 0;
}

/* Takes a row of cache_sync. */
static int
take_node(void *arg, const struct db_result *r, struct err *err)
{
	enum { COLUMNS_CACHE_SYNC };
	struct cache_barrier *b = arg;
	int64_t number = db_int(r, 0, NUMBER);

	/* a later number counts for what was before it, too */
	if (number != b->number)
		forget_nodes(b);
	b->number = number;
	b->server = db_int(r, 0, SERVER);
	return add_node(b, r, 0, err);
}

/* What goes out with COMMIT. */
static void
ask_with_commit(void *arg, struct db_call *call)
{
	struct cache_barrier *b = arg;

	/* a pooler may have begun to share this session, and what it remembers with it */
	bind_sync(b, call, db_is_pooled(b->db));
	call->row = take_node;
	call->arg = b;
}

struct cache_barrier *
cache_barrier_new(struct db *db, struct cache_board *board)
{
	struct cache_barrier *b = calloc(1, sizeof(*b));

	if (b == NULL)
		abort();
	b->db = db;
	b->board = board;
	db_set_follow_up(db, ask_with_commit, b);
	return b;
}

void
cache_barrier_free(struct cache_barrier *b)
{
	if (b == NULL)
		return;
	db_set_follow_up(b->db, NULL, NULL);
	free(b->left.v);
	free(b->stale.v);
	free(b);
}

void
cache_barrier_look(struct cache_barrier *b)
{
	uint32_t reconnects = b->board == NULL ? 0 : b->board->reconnects;

	if (reconnects != b->reconnects)
		db_disconnect(b->db);
	b->reconnects = reconnects;
}

static int
refuse_replaced(struct err *err)
{
	return err_internal(err, 503, "the database has confirmed no commit for the time of a lease: it waits for a "
	    "synchronous standby or for a lock, or another server has taken its place");
}

/* Asks the session for its server. */
static int
read_server(struct cache_barrier *b, struct arena *a)
{
	enum { COLUMNS_CACHE_SERVER };
	struct db_result r;
	struct err err = { 0 };

	b->confirmed_us = b->session_server = 0;
	/* the request itself meets the same error */
	if (db_exec(b->db, a, STMT_CACHE_SERVER, NULL, &r, &err) == -1)
		return -1;
	b->session_server = db_int_or_0(&r, 0, SERVER);
	b->connection = db_connections(b->db);
	return 0;
}

/* Is the session with the keeper's server?  The keeper knows nothing about another one. */
static bool
is_with_keeper(struct cache_barrier *b, struct arena *a)
{
	size_t hosts = 1;

	/*
	 * Without a connection the request would make one after this, perhaps to another server.  A keeper may
	 * have begun the server's run since it was asked.
	 */
	if (db_fd(b->db) == -1 || b->connection != db_connections(b->db) ||
	    (b->session_server == 0 && b->board->server != 0)) {
		if (read_server(b, a) == -1)
			return false;
		/* a server that was replaced and came back is not the keeper's, and accepts sessions, too */
		hosts = db_nhosts(b->db);
	}
	for (; hosts > 1 && b->board->server != 0 && b->session_server != b->board->server; hosts--) {
		db_leave(b->db);
		if (read_server(b, a) == -1)
			return false;
	}
	return b->session_server != 0 && b->session_server == b->board->server;
}

int
cache_barrier_confirm(struct cache_barrier *b, struct arena *a, int64_t lease_s, int64_t deadline_us,
    struct err *err)
{
	int64_t now = clock_us(), until_us = now + lease_s * CLOCK_SECOND / 2;
	_Atomic int64_t *confirmed_us;
	int rc;

	if (b->board == NULL)
		return 0;
	confirmed_us = is_with_keeper(b, a) ? &b->board->confirmed_us : &b->confirmed_us;
	if (now < *confirmed_us + lease_s * CLOCK_SECOND)
		return 0;
	if (now < b->board->refused_us)
		return refuse_replaced(err);
	db_set_deadline(b->db, until_us < deadline_us ? until_us : deadline_us);
	rc = db_exec(b->db, a, STMT_SESSION_CONFIRM, NULL, NULL, err);
	db_set_deadline(b->db, deadline_us);
	/* an error that the server sent, such as a standby's, is an answer: ask again in a second */
	if (rc == 0 || db_fd(b->db) != -1) {
		*confirmed_us = rc == 0 ? now : now - (lease_s - 1) * CLOCK_SECOND;
		err_clear(err);
		return 0;
	}
	if (clock_us() < until_us)
		return -1;
	b->board->refused_us = clock_us() + CLOCK_SECOND;
	return refuse_replaced(err);
}

/*
 * Asks all nodes, even if this session has sent nothing.  A change of another session, or of one that was
 * lost, may be visible before the synchronous standbys have it; CONFIRM waits for them.
 */
static int
ask(struct cache_barrier *b, struct arena *a, struct err *err)
{
	enum { CONFIRM, SYNC, NCALLS };
	struct db_call calls[NCALLS] = { [CONFIRM] = { .stmt = STMT_SESSION_CONFIRM },
		[SYNC] = { .row = take_node, .arg = b } };

	forget_nodes(b);
	bind_sync(b, &calls[SYNC], true);
	return db_run(b->db, a, calls, NCALLS, err);
}

static bool
has(const struct cache_barrier *b, const struct node *node)
{
	return b->board != NULL && cache_board_has(b->board, b->server, node->name, b->number);
}

/* Forgets this pool's node once its keeper has acknowledged. */
static void
drop_own(struct cache_barrier *b)
{
	struct nodes *nodes = &b->left;
	size_t left = 0;

	for (size_t i = 0; i < nodes->n; i++) {
		if (strcmp(nodes->v[i].name, b->own) != 0 || !has(b, &nodes->v[i]))
			nodes->v[left++] = nodes->v[i];
	}
	nodes->n = left;
}

/*
 * Has each node that is left told the board?  Whoever may connect to the database can send such a
 * notification, so only the node's row is believed.
 */
static bool
all_have_told(const struct cache_barrier *b)
{
	for (size_t i = 0; i < b->left.n; i++) {
		if (!has(b, &b->left.v[i]))
			return false;
	}
	return true;
}

/* Reads the nodes anew that are left. */
static int
look(struct cache_barrier *b, struct arena *a, struct err *err)
{
	struct db_call call = { .stmt = STMT_CACHE_SYNC_LEFT };

	db_bind_int(&call.params, b->number);
	if (db_run(b->db, a, &call, 1, err) == -1)
		return -1;
	forget_nodes(b);
	for (int i = 0; i < call.result.rows; i++) {
		if (add_node(b, &call.result, i, err) == -1)
			return -1;
	}
	drop_own(b);
	return 0;
}

/* When to ask the database about the nodes that are left: at the end of the last lease, or sooner. */
static int64_t
next_look(const struct cache_barrier *b)
{
	int64_t end = 0, soon_us = clock_us() + (int64_t)OTHERS_MS * 1000;
	bool others = false;

	for (size_t i = 0; i < b->left.n; i++) {
		if (b->left.v[i].end_us > end)
			end = b->left.v[i].end_us;
		others |= strcmp(b->left.v[i].name, b->own) != 0;
	}
	return others && soon_us < end ? soon_us : end;
}

/* Is the keeper of this pool the one that was asked, and does it tell the board? */
static bool
is_told(const struct cache_barrier *b)
{
	const char *own = b->board == NULL || b->own[0] == '\0' ? NULL : cache_board_own(b->board);

	return own != NULL && strcmp(own, b->own) == 0 && b->board->server == b->server;
}

/* Sleeps until all nodes that are left have told the board, or it tells nothing any more, or until then. */
static void
sleep_on_board(struct cache_barrier *b, int64_t until_us)
{
	while (is_told(b) && clock_us() < until_us) {
		uint32_t changes = b->board->changes;

		drop_own(b);
		if (all_have_told(b))
			return;
		cache_board_wait(b->board, changes, until_us);
	}
}

static int
refuse(const struct cache_barrier *b, struct arena *a, struct err *err)
{
	const char *hosts = b->left.v[0].host;

	for (size_t i = 1; i < b->left.n; i++)
		hosts = arena_printf(a, "%s, %s", hosts, b->left.v[i].host);
	return err_internal(err, 503, "not acknowledged by %s", hosts);
}

/* Waits until the nodes that were asked have acknowledged. */
static int
wait_for_nodes(struct cache_barrier *b, struct arena *a, int64_t until_us, struct err *err)
{
	int ms = LOOK_MIN_MS;

	while (b->left.n > 0) {
		int64_t end_us = next_look(b);

		sleep_on_board(b, end_us < until_us ? end_us : until_us);
		if (b->left.n == 0)
			return 0;
		if (look(b, a, err) == -1)
			return -1;
		if (b->left.n > 0 && clock_us() >= until_us)
			return refuse(b, a, err);
		if (b->left.n > 0 && (!is_told(b) || all_have_told(b))) {
			(void)poll(NULL, 0, ms);
			ms = 2 * ms < LOOK_MAX_MS ? 2 * ms : LOOK_MAX_MS;
		}
	}
	return 0;
}

/* Until all is acknowledged that has been committed. */
static int
wait_for_commits(struct cache_barrier *b, bool asked, struct arena *a, int64_t until_us, struct err *err)
{
	while ((!asked && ask(b, a, err) == -1) || wait_for_nodes(b, a, until_us, err) == -1) {
		/* the database may come back, and any session can ask again */
		if (err->status != 503 || clock_us() >= until_us)
			return -1;
		err_clear(err);
		asked = false;
		(void)poll(NULL, 0, AWAY_MS);
	}
	return 0;
}

/* Is this pool's node one of those that may be in stale mode? */
static bool
own_is_stale(const struct cache_barrier *b)
{
	for (size_t i = 0; i < b->stale.n; i++) {
		if (strcmp(b->stale.v[i].name, cache_board_last_own(b->board)) == 0)
			return true;
	}
	return false;
}

/*
 * Ends stale mode on the worker's own node: this worker has reached the database, though the keeper has not.
 */
static int
end_stale(struct cache_barrier *b, int64_t until_us, struct err *err)
{
	if (b->board == NULL || (cache_board_own(b->board) != NULL && !own_is_stale(b)))
		return 0;
	/* forbid first, then read stale_us: the keeper does the opposite (cache/cache_stale.c) */
	b->board->stale_forbidden = true;
	while (clock_us() < b->board->stale_us) {
		if (clock_us() >= until_us)
			return err_internal(err, 503, "nginx of this node may still send stale files");
		(void)poll(NULL, 0, LOOK_MAX_MS);
	}
	return 0;
}

int
cache_barrier_wait(struct cache_barrier *b, struct arena *a, int64_t until_us, struct err *err)
{
	bool unknown;
	int rc;

	if (!db_take_commit(b->db, &unknown))
		return 0;
	rc = wait_for_commits(b, !unknown, a, until_us, err) == -1 || end_stale(b, until_us, err) == -1 ? -1 : 0;
	/* the next request may commit a change that concerns no node */
	b->left.n = 0;
	return rc;
}

const char *
cache_barrier_take_stale(struct cache_barrier *b, struct arena *a)
{
	const char *text = NULL, *own = b->board == NULL ? "" : cache_board_last_own(b->board);

	for (size_t i = 0; i < b->stale.n; i++) {
		const struct node *node = &b->stale.v[i];
		int64_t left = (node->end_us - clock_us() + CLOCK_SECOND - 1) / CLOCK_SECOND;

		if (left > 0 && strcmp(node->name, own) != 0)
			text = arena_printf(a, "%s%s%s;s=%" PRId64, text == NULL ? "" : text, text == NULL ? "" : ", ",
			    node->host, left);
	}
	b->stale.n = 0;
	return text;
}
