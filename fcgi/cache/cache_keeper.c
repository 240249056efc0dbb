#include "cache/cache_keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "cache/cache_dir.h"
#include "cache/cache_grant.h"
#include "cache/cache_node.h"
#include "cache/cache_source.h"
#include "cache/cache_tree.h"
#include "store/blob.h"
#include "store/token_slot.h"

enum {
	SECOND = 1000000,
	RETRY_MS = 200, /* where the lock is taken or the database is away */
	RENEWALS = 4, /* in the time of one lease */
	/* nginx looks at its clock between events, and a second begins before it ends */
	LEASE_SLACK = 2,
	HEAR = SECOND, /* for what was told to come back */
	GRANT_SECONDS = 3600, /* then it is made anew on demand: so right is last_used_at of a token */
	QUIET = 60 * SECOND, /* between two complaints about the same */
	HOST_SIZE = 256,
	HINTS = DB_CALLS_MAX, /* that are decided in one round trip */
	DUE = 2 * HINTS /* files; what finds no room is written when somebody asks again */
};

struct keeper {
	const struct settings *settings;
	struct cache_dir *dir;
	struct cache_grants *grants;
	struct token_keys keys;
	struct db *db; /* listens */
	struct db *caller; /* another session, which tells the first one something */
	struct arena *arena; /* of one step */
	int signal_fd;
	bool stopping;
	bool serving; /* listening, registered, with a lease */
	bool sweep; /* there is trash */
	struct cache_file due[DUE]; /* to be written */
	size_t ndue;
	uint64_t listening; /* the connection of db that listens */
	int64_t renew_us;
	int64_t end_us; /* of the lease, as others have it, of clock_us() */
	int64_t called, heard; /* the last number that `caller` has told, and that `db` was told of those */
	int64_t written; /* by what our row in the database is known again */
	int64_t synced, acknowledged; /* the greatest CACHE_SYNC that was done, and that we have said so of */
	int64_t complained_us;
};

static void
complain(struct keeper *k, const struct err *err)
{
	int64_t at = clock_us();

	if (k->complained_us != 0 && at - k->complained_us < QUIET)
		return;
	k->complained_us = at;
	log_warn("cache: %s", err->detail[0] != '\0' ? err->detail : err->pub);
}

static void
signal_take(struct keeper *k)
{
	struct signalfd_siginfo info;

	if (read(k->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGTERM)
		k->stopping = true;
	else if (log_reopen() == -1)
		log_error("cannot reopen the log: %s", strerrordesc_np(errno));
}

static void
wait_ms(struct keeper *k, int ms)
{
	enum { SIGNAL, DATABASE, HINT, N };
	struct pollfd fds[N] = {
		[SIGNAL] = { .fd = k->signal_fd, .events = POLLIN },
		[DATABASE] = { .fd = k->serving ? db_fd(k->db) : -1, .events = POLLIN },
		[HINT] = { .fd = k->serving ? cache_dir_hint_fd(k->dir) : -1, .events = POLLIN },
	};

	if (poll(fds, N, ms) > 0 && fds[SIGNAL].revents != 0)
		signal_take(k);
}

/* When a lease begins: before the database hears of it. */
struct moment {
	time_t second; /* by the calendar */
	int64_t us; /* of clock_us() */
};

static struct moment
now(void)
{
	return (struct moment) { time(NULL), clock_us() };
}

/* The names of the seconds in which files may be served. */
static int
lease(struct keeper *k, const struct moment *since, struct err *err)
{
	int64_t length = k->settings->cache_lease;

	k->end_us = since->us + length * SECOND;
	k->renew_us = since->us + length * SECOND / RENEWALS;
	/* nothing may be served to the end of this lease that ends before */
	if (cache_grants_end_due(k->grants, k->dir, k->end_us, err) == -1)
		return -1;
	return cache_dir_lease(k->dir, since->second,
	    since->second + (time_t)length - LEASE_SLACK, err);
}

static void
file_is_due(struct keeper *k, const struct cache_file *f)
{
	if (k->ndue < DUE)
		k->due[k->ndue++] = *f;
}

/* A file that was there is likely to be asked for again: it is written anew, for whoever may read it. */
static int
take_index(struct keeper *k, const struct cache_message *m, struct err *err)
{
	struct cache_file f = { .project_id = m->id };
	bool was_there = false;

	if (cache_tree_remove_index(k->dir, m->id, m->name, &was_there, err) == -1)
		return -1;
	memcpy(f.name, m->name, sizeof(m->name));
	if (was_there)
		file_is_due(k, &f);
	return 0;
}

static int
end_epoch(struct keeper *k, struct err *err)
{
	if (cache_dir_end_epoch(k->dir, err) == -1)
		return -1;
	cache_grants_forget(k->grants);
	return 0;
}

static int
take_away(struct keeper *k, const struct cache_message *m, struct err *err)
{
	k->sweep |= m->kind != CACHE_SYNC && m->kind != CACHE_CALL && m->kind != CACHE_INDEX;
	switch (m->kind) {
	case CACHE_SYNC:
	case CACHE_CALL:
		return 0;
	case CACHE_EPOCH:
		return end_epoch(k, err);
	case CACHE_TOKEN:
		return cache_grants_end(k->grants, k->dir, &m->who, err);
	case CACHE_PROJECT:
		return cache_tree_remove_project(k->dir, m->id, err);
	case CACHE_CRATE:
		if (cache_tree_remove_crate(k->dir, m->id, m->name, err) == -1)
			return -1;
		break;
	case CACHE_INDEX:
		break;
	}
	return take_index(k, m, err);
}

/* A session that answers too late is given up, and the next one is told nothing.  -1: 503. */
static int
still_listens(const struct keeper *k, struct err *err)
{
	return db_fd(k->db) != -1 && db_connections(k->db) == k->listening ? 0
	    : err_internal(err, 503, "the session that listened has ended");
}

/* Does all that we were told. */
static int
listen_up(struct keeper *k, struct err *err)
{
	struct cache_message m;
	int rc;

	while ((rc = cache_node_next(k->db, &m, err)) == 1) {
		if (m.kind != CACHE_SYNC && m.kind != CACHE_CALL)
			FAULT_POINT("cache", "told");
		if (take_away(k, &m, err) == -1)
			return -1;
		if (m.kind == CACHE_SYNC && m.id > k->synced)
			k->synced = m.id;
		if (m.kind == CACHE_CALL && m.id == k->called)
			k->heard = m.id;
	}
	return rc == 0 ? still_listens(k, err) : -1;
}

/*
 * A session that is not told what another one has said must never serve.  It keeps still until then:
 * one that a pooler shares is told nothing but during its own statements.
 */
static int
hear(struct keeper *k, struct err *err)
{
	int64_t until;

	if (cache_node_call(k->caller, k->arena, &k->called, err) == -1)
		return -1;
	until = clock_us() + HEAR;
	for (;;) {
		struct pollfd p = { .events = POLLIN };

		if (listen_up(k, err) == -1)
			return -1;
		if (k->heard == k->called)
			return 0;
		if (clock_us() >= until)
			return err_internal(err, 503,
			    "this session is told nothing; is it one that a proxy shares?");
		p.fd = db_fd(k->db);
		(void)poll(&p, 1, RETRY_MS);
	}
}

/* To whoever waits: it is done. */
static int
acknowledge(struct keeper *k, struct err *err)
{
	int64_t number;

	if (k->synced == k->acknowledged)
		return 0;
	/* a pooler can come to share a session: then what was said before this number may be missing */
	if (db_is_pooled(k->db) && hear(k, err) == -1)
		return -1;
	number = k->synced;
	if (cache_node_acknowledge(k->db, k->arena, cache_dir_node(k->dir), number, &k->written,
		err) == -1)
		return -1;
	k->acknowledged = number;
	return 0;
}

/* Point 6 of the header: the order of these is what counts. */
static int
begin(struct keeper *k, struct err *err)
{
	char host[HOST_SIZE] = "";
	struct moment since;

	(void)gethostname(host, sizeof(host) - 1);
	if (db_connect(k->db, err) == -1)
		return -1;
	k->listening = db_connections(k->db);
	if (cache_node_listen(k->db, k->arena, err) == -1 || cache_dir_clear(k->dir, err) == -1)
		return -1;
	cache_grants_forget(k->grants);
	k->ndue = 0;
	k->sweep = true;
	k->synced = k->acknowledged = 0;
	if (hear(k, err) == -1)
		return -1;
	/* without keys anyone is granted what is public, and no token anything */
	if (token_slot_keys(k->db, k->arena, k->settings->token_key, &k->keys, err) == -1)
		return -1;
	since = now();
	if (cache_node_register(k->db, k->arena, cache_dir_node(k->dir), host,
		k->settings->cache_lease, &k->written, err) == -1 || still_listens(k, err) == -1)
		return -1;
	return lease(k, &since, err);
}

static int
renew(struct keeper *k, struct err *err)
{
	struct moment since = now();

	if (hear(k, err) == -1 ||
	    cache_node_renew(k->db, k->arena, cache_dir_node(k->dir), k->settings->cache_lease,
		&k->written, err) == -1 || still_listens(k, err) == -1)
		return -1;
	/* so late that somebody may have seen the old one end */
	if (clock_us() >= k->end_us)
		return err_internal(err, 503, "this node's lease has ended");
	return lease(k, &since, err);
}

/* No notification is looked at between the read and the file.  -1: the database. */
static int
provide_file(struct keeper *k, const struct cache_file *f, struct err *err)
{
	struct cache_content c;
	struct err disk = { 0 };
	int rc;

	if (cache_tree_has(k->dir, f))
		return 0;
	if (cache_source_read(k->db, k->arena, k->settings->external_url, f, &c, err) == -1)
		return -1;
	FAULT_POINT("cache", "read");
	if (!c.found)
		return 0;
	rc = f->version[0] != '\0'
	    ? cache_tree_put_link(k->dir, f, arena_printf(k->arena, "%s/%s", k->settings->store,
		blob_path(k->arena, c.cksum)), &disk)
	    : cache_tree_put(k->dir, f, c.bytes, (time_t)c.time, &disk);
	/* where the disk does not take it the pool goes on answering */
	if (rc == -1)
		complain(k, &disk);
	return 0;
}

/* Is it the epoch of the grants?  Where there is none, it becomes it; another one ends ours. */
static int
enter_epoch(struct keeper *k, const char *epoch, bool *same, struct err *err)
{
	*same = strcmp(cache_dir_epoch(k->dir), epoch) == 0;
	if (*same)
		return 0;
	if (cache_dir_epoch(k->dir)[0] != '\0')
		return end_epoch(k, err);
	*same = true;
	return cache_dir_begin_epoch(k->dir, epoch, err);
}

/* Point 3: neither is one looked at between decision and grant.  -1: the database, or the disk. */
static int
grant(struct keeper *k, const struct cache_decision *d, int64_t project_id, int64_t asked_us,
    struct err *err)
{
	int64_t end_us = asked_us + (int64_t)GRANT_SECONDS * SECOND;
	bool same;

	if (d->lasts_ms != -1 && asked_us + d->lasts_ms * 1000 < end_us)
		end_us = asked_us + d->lasts_ms * 1000;
	if (end_us <= k->end_us)
		return 0;
	if (enter_epoch(k, d->epoch, &same, err) == -1)
		return -1;
	FAULT_POINT("cache", "entered");
	if (!same || cache_grants_have(k->dir, &d->who, project_id))
		return 0;
	if (cache_grants_add(k->grants, k->dir, d->kind, &d->who, project_id, end_us, err) == -1)
		return -1;
	FAULT_POINT("cache", "granted");
	return 0;
}

/* Grants what the hints ask for, where it is allowed; then their files are due. */
static int
provide(struct keeper *k, const struct cache_hint *hints, size_t n, struct err *err)
{
	struct cache_hint asked[HINTS];
	struct cache_decision decisions[HINTS];
	int64_t asked_us = clock_us();
	size_t nasked = 0;

	FAULT_POINT("cache", "hinted");
	for (size_t i = 0; i < n; i++) {
		if (cache_grants_have(k->dir, &hints[i].who, hints[i].file.project_id))
			file_is_due(k, &hints[i].file);
		else
			asked[nasked++] = hints[i];
	}
	if (nasked == 0)
		return 0;
	if (cache_source_decide(k->db, k->arena, &k->keys, asked, nasked, decisions, err) == -1)
		return -1;
	FAULT_POINT("cache", "decided");
	for (size_t i = 0; i < nasked; i++) {
		if (!decisions[i].allowed)
			continue;
		if (grant(k, &decisions[i], asked[i].file.project_id, asked_us, err) == -1)
			return -1;
		if (cache_grants_have(k->dir, &asked[i].who, asked[i].file.project_id))
			file_is_due(k, &asked[i].file);
	}
	return 0;
}

/* One step of a keeper that serves.  -1: it cannot be sure any more. */
static int
step(struct keeper *k, struct err *err)
{
	struct cache_hint hints[HINTS];
	int64_t left;
	size_t n = 0;

	if (listen_up(k, err) == -1 || acknowledge(k, err) == -1)
		return -1;
	left = k->renew_us - clock_us();
	if (left <= 0)
		return renew(k, err);
	if (k->ndue > 0)
		return provide_file(k, &k->due[--k->ndue], err);
	while (n < HINTS && cache_dir_next_hint(k->dir, &hints[n]))
		n++;
	if (n > 0)
		return provide(k, hints, n, err);
	if (k->sweep)
		cache_dir_sweep(k->dir, &k->sweep);
	else
		wait_ms(k, (int)(left / 1000) + 1);
	return 0;
}

/* A connection that was lost in between is another one afterwards: begins anew. */
static void
stumble(struct keeper *k, struct err *err)
{
	complain(k, err);
	k->serving = false;
	/* sessions that a pooler has come to share stay so */
	if (db_is_pooled(k->db)) {
		db_disconnect(k->db);
		db_disconnect(k->caller);
	}
	/* where the disk is full, and nothing can begin, it may be of this */
	cache_dir_sweep(k->dir, &k->sweep);
	wait_ms(k, RETRY_MS);
}

static void
serve(struct keeper *k)
{
	while (!k->stopping) {
		struct err err = { 0 };
		int rc = k->serving ? step(k, &err) : begin(k, &err);

		arena_reset(k->arena);
		if (rc == -1) {
			stumble(k, &err);
		} else if (!k->serving) {
			k->serving = true;
			k->complained_us = 0;
			log_info("cache: served from %s", k->settings->cache_dir);
		}
	}
}

/* Nobody has to wait for the end of our lease. */
static void
end(struct keeper *k)
{
	struct err err = { 0 };

	db_set_deadline(k->db, clock_us() + SECOND);
	if (cache_dir_clear(k->dir, &err) == -1 ||
	    (k->serving && db_fd(k->db) != -1 &&
	        cache_node_release(k->db, k->arena, cache_dir_node(k->dir), &err) == -1))
		log_warn("cache: %s", err.detail);
}

/* Another keeper may be about to end: that of the pool before a reload. */
static void
open_dir(struct keeper *k)
{
	while (!k->stopping && k->dir == NULL) {
		struct err err = { 0 };

		if (cache_dir_open(k->settings->cache_dir, &k->dir, &err) == -1)
			complain(k, &err);
		if (k->dir == NULL)
			wait_ms(k, RETRY_MS);
	}
}

int
cache_keeper_run(const struct settings *settings)
{
	struct keeper k = { .settings = settings };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	k.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k.signal_fd == -1) {
		log_error("cache: no resources");
		return 1;
	}
	k.arena = arena_new();
	k.grants = cache_grants_new();
	k.db = db_new(settings->database, settings->database_timeout * 1000);
	k.caller = db_new(settings->database, settings->database_timeout * 1000);
	open_dir(&k);
	serve(&k);
	if (k.dir != NULL)
		end(&k);
	cache_dir_close(k.dir);
	db_free(k.caller);
	db_free(k.db);
	cache_grants_free(k.grants);
	token_keys_wipe(&k.keys);
	arena_free(k.arena);
	close(k.signal_fd);
	return 0;
}
