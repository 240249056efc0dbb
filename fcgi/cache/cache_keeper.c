#include "cache/cache_keeper.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/signals.h"
#include "cache/cache_board.h"
#include "cache/cache_decide.h"
#include "cache/cache_dir.h"
#include "cache/cache_fill.h"
#include "cache/cache_grant.h"
#include "cache/cache_invalidate.h"
#include "cache/cache_node.h"
#include "cache/cache_page.h"
#include "cache/cache_session.h"
#include "cache/cache_stale.h"
#include "store/blob/store_node.h"

enum {
	RETRY_MS = 200, /* between two tries to get the lock or the database */
	RENEWALS = 4, /* per lease */
	/*
	 * The parts of a lease that a renewal, and then a new start at another server, may take.  With the
	 * time before the renewal they are one lease: so nginx has the old lease until the keeper takes the
	 * next one.
	 */
	RENEWAL_PART = 4,
	BEGIN_PART = 2,
	PROBE_US = CLOCK_SECOND, /* for a probe to come back */
	GRANT_SECONDS = 3600, /* then a request makes it anew; last_used_at of a token is exact to this */
	HINTS = DB_CALLS_MAX /* decided in one round trip */
};

struct keeper {
	const struct settings *settings;
	struct cache_board *board;
	struct cache_dir *dir;
	struct cache_decider decider;
	struct cache_session session;
	struct cache_stale stale;
	struct arena *arena; /* of one step */
	int signal_fd;
	bool stopping;
	bool serving; /* it listens, is registered and has a lease */
	bool keeps; /* it has lost nothing but its session, and nginx continues until the lease ends */
	enum cache_state trouble; /* what it is if the present step fails */
	struct cache_due due;
	int64_t renew_us;
	int64_t end_us; /* the end of the lease in the database, by clock_us(); 0: nginx has no lease */
	int64_t probe, probe_back; /* numbers of the last probe that was sent, and of the last one that arrived */
	int64_t written; /* the transaction that last wrote our row in cache_nodes */
	int64_t synced, acknowledged; /* numbers of the last CACHE_SYNC that was done, and acknowledged */
	bool asked_from_outside; /* since then, by a writer that does not read our board */
	struct cache_warning warned;
};

/* nginx has lost the lease, although it may last on in the database. */
static void
lose_lease(struct keeper *k)
{
	if (k->end_us != 0)
		k->board->lease_us = clock_us();
	k->end_us = 0;
}

/* Waits for a signal, for so many milliseconds at most; while the keeper serves, also for its work. */
static void
wait_ms(struct keeper *k, int ms)
{
	enum { SIGNAL, DATABASE, HINT, N };
	struct pollfd fds[N] = {
		[SIGNAL] = { .fd = k->signal_fd, .events = POLLIN },
		[DATABASE] = { .fd = k->serving ? db_fd(k->session.db) : -1, .events = POLLIN },
		[HINT] = { .fd = k->serving ? cache_dir_hint_fd(k->dir) : -1, .events = POLLIN },
	};

	if (poll(fds, N, ms) > 0 && fds[SIGNAL].revents != 0 && signals_take(k->signal_fd))
		k->stopping = true;
}

/* The start of a lease, taken before the database records it. */
struct moment {
	time_t second; /* by the calendar */
	int64_t us; /* of clock_us() */
};

static struct moment
now(void)
{
	return (struct moment) { time(NULL), clock_us() };
}

/* Names the seconds in which nginx may serve files. */
static int
lease(struct keeper *k, const struct moment *since, struct err *err)
{
	int64_t length = k->settings->cache_lease;

	k->end_us = since->us + length * CLOCK_SECOND;
	k->renew_us = since->us + length * CLOCK_SECOND / RENEWALS;
	/* allowed again at the end: if a step below fails, a grant may stay that should have ended */
	cache_stale_forbid(&k->stale);
	/* a grant that ends within this lease ends now: nginx would follow it to the end of the lease */
	if (cache_grants_end_due(k->dir, k->end_us, true, err) == -1)
		return -1;
	if (cache_dir_lease(k->dir, since->second, since->second + (time_t)length - CACHE_NAMES_SLACK,
		err) == -1)
		return -1;
	k->board->state = CACHE_SERVES;
	k->board->lease_us = k->end_us;
	cache_stale_allow(&k->stale, k->board, k->end_us);
	k->board->confirmed_us = since->us;
	return 0;
}

static int
take_away(struct keeper *k, const struct cache_message *m, struct err *err)
{
	if (cache_page_told(k->dir, k->board, m->kind, err) == -1)
		return -1;
	if (cache_invalidate(k->dir, m, &k->due, err) == 0)
		return 0;
	cache_stale_forbid(&k->stale);
	k->keeps = false;
	return -1;
}

/* Takes note of a message that concerns no file or grant.  False: it is none of these. */
static bool
take_note(struct keeper *k, const struct cache_message *m)
{
	bool own = strcmp(m->node, cache_dir_node(k->dir)) == 0;

	if (m->kind == CACHE_SYNC) {
		if (m->id > k->synced)
			k->synced = m->id;
		k->asked_from_outside |= !own;
	} else if (m->kind == CACHE_ACKNOWLEDGED) {
		/* only this node knows what it has acknowledged */
		if (!own)
			cache_board_note(k->board, cache_dir_node(k->dir), m->node, m->id);
	} else if (m->kind == CACHE_PROBE) {
		if (m->id == k->probe)
			k->probe_back = m->id;
	} else {
		return false;
	}
	return true;
}

/* Handles all notifications that have arrived. */
static int
handle_notifications(struct keeper *k, struct err *err)
{
	struct cache_message m;
	int rc;

	while ((rc = cache_node_next(k->session.db, &m, err)) == 1) {
		if (take_note(k, &m))
			continue;
		FAULT_POINT("cache", "told");
		if (take_away(k, &m, err) == -1)
			return -1;
	}
	return rc == 0 ? cache_session_listens(&k->session, err) : -1;
}

/*
 * Sends a probe from the second session and waits until the first one gets it.  A session that gets no
 * notifications must never serve.  It runs no statement while it waits: a session that a pooler shares
 * gets notifications during its own statements only.
 */
static int
probe(struct keeper *k, struct err *err)
{
	int64_t until;

	if (cache_node_probe(k->session.prober, k->arena, &k->probe, err) == -1)
		return -1;
	until = clock_us() + PROBE_US;
	for (;;) {
		struct pollfd p = { .events = POLLIN };

		if (handle_notifications(k, err) == -1)
			return -1;
		if (k->probe_back == k->probe)
			return 0;
		if (clock_us() >= until) {
			k->trouble = CACHE_DEAF;
			return err_internal(err, 503, "the listening session gets no notifications; `database` and "
			    "`database_direct` must lead to the same database, and no pooler may stand in "
			    "the way of `database_direct`");
		}
		p.fd = db_fd(k->session.db);
		(void)poll(&p, 1, RETRY_MS);
	}
}

/* Tells the writers that wait that this node has handled their notifications. */
static int
acknowledge(struct keeper *k, struct err *err)
{
	int64_t number;

	if (k->synced == k->acknowledged)
		return 0;
	/*
	 * a pooler may have begun to share this session: then notifications before this number may be missing
	 */
	if (db_is_pooled(k->session.db) && probe(k, err) == -1)
		return -1;
	number = k->synced;
	if (k->asked_from_outside &&
	    cache_node_acknowledge(k->session.db, k->arena, cache_dir_node(k->dir), number, &k->written, err) == -1)
		return -1;
	k->asked_from_outside = false;
	k->acknowledged = number;
	cache_board_note(k->board, cache_dir_node(k->dir), cache_dir_node(k->dir), number);
	FAULT_POINT("cache", "acknowledged");
	return 0;
}

/* Gives the sessions a part of the lease; 0: as long as a statement may take. */
static void
hurry(struct keeper *k, int part)
{
	cache_session_hurry(&k->session,
	    part == 0 ? 0 : clock_us() + k->settings->cache_lease * CLOCK_SECOND / part);
}

static int
clear(struct keeper *k, struct err *err)
{
	k->trouble = CACHE_NO_DIR;
	if (cache_dir_clear(k->dir, err) == -1)
		return -1;
	lose_lease(k);
	k->trouble = CACHE_NO_DATABASE;
	k->due.n = 0;
	k->keeps = false;
	return 0;
}

/* Ends stale mode and removes the pages: writers at other nodes do not wait for them. */
static int
end_stale(struct keeper *k, struct err *err)
{
	k->trouble = CACHE_NO_DIR;
	if (cache_stale_end(&k->stale, k->dir, k->board, err) == -1 ||
	    cache_page_remove(k->dir, k->board, err) == -1 || (!k->keeps && clear(k, err) == -1))
		return -1;
	k->trouble = CACHE_NO_DATABASE;
	return 0;
}

/*
 * Empties the cache once the server has confirmed a commit.  After a failover this takes until a synchronous
 * standby has connected; meanwhile nginx continues with the old lease.
 */
static int
clear_late(struct keeper *k, struct err *err)
{
	return !k->keeps ? 0 : db_exec(k->session.db, k->arena, STMT_SESSION_CONFIRM, NULL, NULL, err) == -1
	    ? -1 : clear(k, err);
}

/* The order of these steps matters: see point 6 of berth-architecture(7), What Berth guarantees. */
static int
begin(struct keeper *k, struct err *err)
{
	char host[STORE_NODE_NAME_SIZE];
	struct cache_registration r;
	struct moment since;

	store_node_name(k->settings->node, host);
	if (cache_session_connect(&k->session, k->board, err) == -1 ||
	    cache_node_listen(k->session.db, k->arena, err) == -1 || end_stale(k, err) == -1)
		return -1;
	k->synced = k->acknowledged = 0;
	k->asked_from_outside = false;
	if (probe(k, err) == -1 || clear_late(k, err) == -1 ||
	    cache_decide_read_keys(&k->decider, k->session.db, k->arena, k->settings->token_key, &k->warned,
		err) == -1)
		return -1;
	since = now();
	if (cache_node_register(k->session.db, k->arena, cache_dir_node(k->dir), host,
		k->settings->cache_lease, k->settings->cache_stale_max, &r, err) == -1 ||
	    cache_session_listens(&k->session, err) == -1)
		return -1;
	k->written = r.written;
	cache_board_begin(k->board, r.server, cache_dir_node(k->dir));
	cache_board_note(k->board, cache_dir_node(k->dir), cache_dir_node(k->dir), r.number);
	k->trouble = CACHE_NO_DIR;
	return lease(k, &since, err);
}

static int
renew(struct keeper *k, struct err *err)
{
	struct moment since = now();

	hurry(k, RENEWAL_PART);
	if (!cache_dir_is_intact(k->dir))
		return err_internal(err, 503, "cache_dir: %s was emptied or replaced", k->settings->cache_dir);
	if (probe(k, err) == -1 ||
	    cache_page_renew(k->dir, k->board, k->settings->cache_lease, err) == -1 ||
	    cache_node_renew(k->session.db, k->arena, cache_dir_node(k->dir), k->settings->cache_lease,
		&k->written, err) == -1 || cache_session_listens(&k->session, err) == -1)
		return -1;
	/* another node may already have seen the old lease end */
	if (clock_us() >= k->end_us)
		return err_internal(err, 503, "this node's lease has ended");
	return lease(k, &since, err);
}

/* Begins the epoch where there is none, or ends another one. */
static int
enter_epoch(struct keeper *k, const char *epoch, struct err *err)
{
	static const struct cache_message another = { .kind = CACHE_EPOCH };
	const char *mine = cache_dir_epoch(k->dir);

	if (mine[0] == '\0')
		return cache_dir_begin_epoch(k->dir, epoch, err);
	return strcmp(mine, epoch) == 0 ? 0 : take_away(k, &another, err);
}

/* Handles no notification between decision and grant (point 3).  -1: the database or the disk failed. */
static int
grant(struct keeper *k, const struct cache_decision *d, int64_t namespace, int64_t asked_us,
    struct err *err)
{
	int64_t renew_us = asked_us + (int64_t)GRANT_SECONDS * CLOCK_SECOND;
	int64_t end_us = d->lasts_ms == -1 ? INT64_MAX : asked_us + d->lasts_ms * 1000;

	if (end_us <= k->end_us)
		return 0;
	if (enter_epoch(k, d->epoch, err) == -1)
		return -1;
	FAULT_POINT("cache", "entered");
	if (strcmp(cache_dir_epoch(k->dir), d->epoch) != 0 || cache_grants_have(k->dir, &d->who, namespace))
		return 0;
	if (cache_grants_add(k->dir, d->kind, &d->who, namespace, end_us, renew_us, err) == -1)
		return -1;
	FAULT_POINT("cache", "granted");
	return 0;
}

/* Makes the grants of the hints that are allowed; then their files are due. */
static int
provide(struct keeper *k, const struct cache_hint *hints, size_t n, struct err *err)
{
	struct cache_hint asked[HINTS];
	struct cache_decision decisions[HINTS];
	int64_t asked_us = clock_us();
	size_t nasked = 0;

	FAULT_POINT("cache", "hinted");
	for (size_t i = 0; i < n; i++) {
		if (cache_grants_have(k->dir, &hints[i].who, hints[i].file.namespace))
			cache_due_add(&k->due, &hints[i].file);
		else
			asked[nasked++] = hints[i];
	}
	if (nasked == 0)
		return 0;
	if (cache_decide(&k->decider, k->session.db, k->arena, asked, nasked, decisions, err) == -1)
		return -1;
	FAULT_POINT("cache", "decided");
	for (size_t i = 0; i < nasked; i++) {
		if (!decisions[i].allowed)
			continue;
		if (grant(k, &decisions[i], asked[i].file.namespace, asked_us, err) == -1)
			return -1;
		if (cache_grants_have(k->dir, &asked[i].who, asked[i].file.namespace))
			cache_due_add(&k->due, &asked[i].file);
	}
	return 0;
}

/* One step of a keeper that serves.  -1: its files and grants may be out of date. */
static int
step(struct keeper *k, struct err *err)
{
	struct cache_hint hints[HINTS];
	int64_t left;
	size_t n = 0;

	if (handle_notifications(k, err) == -1 || acknowledge(k, err) == -1)
		return -1;
	left = k->renew_us - clock_us();
	if (left <= 0)
		return renew(k, err);
	if (k->due.n > 0)
		return cache_fill(k->dir, k->session.db, k->arena, k->settings, &k->due.v[--k->due.n], &k->warned,
		    err);
	while (n < HINTS && cache_dir_next_hint(k->dir, &hints[n]))
		n++;
	if (n > 0)
		return provide(k, hints, n, err);
	if (cache_dir_has_trash(k->dir))
		cache_dir_sweep(k->dir);
	else
		wait_ms(k, (int)(left / 1000) + 1);
	return 0;
}

/*
 * Leaves a directory that the path no longer names, or whose parts are gone.  The lease goes on in the
 * database, so writers wait for its end: somebody may put the directory back, or may have copied it.
 */
static void
leave_dir(struct keeper *k)
{
	log_warn("cache: cache_dir: %s was emptied or replaced: the keeper opens it again and starts "
	    "empty; stop the pool before you empty or replace it", k->settings->cache_dir);
	/* nobody reads its notifications before the next begin() */
	cache_session_drop(&k->session);
	lose_lease(k);
	cache_dir_close(k->dir);
	k->dir = NULL;
}

/*
 * Waits after a failure.  Then the keeper begins anew, since a new connection may have missed notifications.
 * nginx continues until the lease ends, or until begin() ends it.
 */
static void
fail(struct keeper *k, struct err *err)
{
	k->board->state = k->trouble;
	cache_board_end(k->board, cache_dir_node(k->dir));
	if (k->serving) {
		k->keeps = cache_session_is_lost(&k->session);
		if (!k->keeps)
			cache_stale_forbid(&k->stale);
	}
	k->serving = false;
	if (!cache_dir_is_intact(k->dir)) {
		cache_stale_forbid(&k->stale);
		k->keeps = false;
		leave_dir(k);
		return;
	}
	cache_warn(&k->warned, err);
	cache_stale_go_on(&k->stale, k->dir, k->board, k->settings->cache_lease, &k->warned);
	if (k->stale.is)
		k->board->state = CACHE_STALE;
	cache_session_failed(&k->session);
	/* the trash may be what fills the disk */
	cache_dir_sweep(k->dir);
	wait_ms(k, RETRY_MS);
}

/* Waits for the lock: at a reload the old pool's keeper ends first. */
static void
open_dir(struct keeper *k)
{
	struct err err = { 0 };

	if (cache_dir_open(k->settings->cache_dir, &k->dir, &err) == -1)
		cache_warn(&k->warned, &err);
	if (k->dir != NULL)
		return;
	k->board->state = err.status != 0 ? CACHE_NO_DIR : CACHE_LOCKED;
	wait_ms(k, RETRY_MS);
}

static void
serve(struct keeper *k)
{
	while (!k->stopping) {
		struct err err = { 0 };
		int rc;

		if (k->dir == NULL) {
			open_dir(k);
			continue;
		}
		k->trouble = k->serving ? CACHE_STARTS : CACHE_NO_DATABASE;
		hurry(k, k->serving ? 0 : BEGIN_PART);
		rc = k->serving ? step(k, &err) : begin(k, &err);
		arena_reset(k->arena);
		if (rc == -1) {
			fail(k, &err);
		} else if (!k->serving) {
			k->serving = true;
			k->warned.at_us = 0;
			log_info("cache: served from %s", k->settings->cache_dir);
		}
	}
}

/* Ends the lease, so that no writer waits for its end. */
static void
end(struct keeper *k)
{
	struct err err = { 0 };

	db_set_deadline(k->session.db, clock_us() + CLOCK_SECOND);
	if (cache_stale_end(&k->stale, k->dir, k->board, &err) == -1 || cache_dir_clear(k->dir, &err) == -1 ||
	    (k->serving && db_fd(k->session.db) != -1 &&
	        cache_node_release(k->session.db, k->arena, cache_dir_node(k->dir), &err) == -1))
		log_warn("cache: %s", err.detail);
	cache_board_end(k->board, cache_dir_node(k->dir));
	lose_lease(k);
	k->board->state = CACHE_STARTS;
}

int
cache_keeper_run(const struct settings *settings, struct cache_board *board)
{
	struct keeper k = { .settings = settings, .board = board,
		.stale.max_us = settings->cache_stale_max * CLOCK_SECOND };

	k.signal_fd = signals_open();
	if (k.signal_fd == -1) {
		log_error("the cache's keeper cannot create a signalfd: %s; allow the program more open files",
		    strerrordesc_np(errno));
		return 1;
	}
	k.arena = arena_new();
	cache_session_new(&k.session, settings);
	board->state = CACHE_STARTS;
	serve(&k);
	if (k.dir != NULL)
		end(&k);
	cache_dir_close(k.dir);
	cache_session_free(&k.session);
	token_keys_wipe(&k.decider.keys);
	arena_free(k.arena);
	close(k.signal_fd);
	return 0;
}
