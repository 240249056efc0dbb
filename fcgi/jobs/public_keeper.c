#include "jobs/public_keeper.h"

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
#include "crate/registry_config.h"
#include "store/blob.h"
#include "store/kept_index.h"
#include "store/public.h"
#include "store/public_dir.h"
#include "store/public_tree.h"

enum {
	SECOND = 1000000,
	RETRY_MS = 200, /* where the lock is taken or the database is away */
	RENEWALS = 4, /* in the time of one lease */
	/* nginx looks at its clock between events, and a second begins before it ends */
	LEASE_SLACK = 2,
	HEAR = SECOND, /* for what was told to come back */
	QUIET = 60 * SECOND, /* between two complaints about the same */
	HOST_SIZE = 256
};

struct keeper {
	const struct settings *settings;
	struct public_dir *dir;
	struct db *db; /* listens */
	struct db *caller; /* another session, which tells the first one something */
	struct arena *arena; /* of one step */
	int signal_fd;
	bool stopping;
	bool serving; /* listening, registered, with a lease */
	bool sweep; /* there is trash */
	int64_t renew_us;
	int64_t end_us; /* of the lease, as others have it, of clock_us() */
	int64_t called, heard; /* the last number that `caller` has told, and that `db` was told of those */
	int64_t synced, acknowledged; /* the greatest PUBLIC_SYNC that was done, and that we have said so of */
	int64_t complained_us;
};

static void
complain(struct keeper *k, const struct err *err)
{
	int64_t at = clock_us();

	if (k->complained_us != 0 && at - k->complained_us < QUIET)
		return;
	k->complained_us = at;
	log_warn("public files: %s", err->detail[0] != '\0' ? err->detail : err->pub);
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
	enum { SIGNAL, DATABASE, WANT, N };
	struct pollfd fds[N] = {
		[SIGNAL] = { .fd = k->signal_fd, .events = POLLIN },
		[DATABASE] = { .fd = k->serving ? db_fd(k->db) : -1, .events = POLLIN },
		[WANT] = { .fd = k->serving ? public_dir_want_fd(k->dir) : -1, .events = POLLIN },
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
	int64_t length = k->settings->public_lease;

	k->end_us = since->us + length * SECOND;
	k->renew_us = since->us + length * SECOND / RENEWALS;
	return public_dir_lease(k->dir, since->second,
	    since->second + (time_t)length - LEASE_SLACK, err);
}

/* What was there is likely to be asked for again. */
static void
want_again(const struct keeper *k, const struct public_tale *tale, const char *generation)
{
	struct public_want w = { .project_id = tale->id };

	memcpy(w.name, tale->name, sizeof(w.name));
	snprintf(w.generation, sizeof(w.generation), "%s", generation);
	public_dir_leave_want(k->settings->public_dir, &w);
}

static int
take_index(struct keeper *k, const struct public_tale *tale, struct err *err)
{
	char generation[ACCESS_GENERATION_SIZE];
	bool was_there = false;

	if (public_tree_remove_index(k->dir, tale->id, tale->name, &was_there, err) == -1 ||
	    public_tree_remove_kept(k->dir, tale->id, tale->name, generation, err) == -1)
		return -1;
	if (was_there)
		want_again(k, tale, "");
	if (generation[0] != '\0')
		want_again(k, tale, generation);
	return 0;
}

static int
take_away(struct keeper *k, const struct public_tale *tale, struct err *err)
{
	switch (tale->kind) {
	case PUBLIC_SYNC:
	case PUBLIC_CALL:
		return 0;
	case PUBLIC_ALL:
		k->sweep = true;
		return public_tree_remove_all(k->dir, err);
	case PUBLIC_GENERATION:
		k->sweep = true;
		return public_tree_remove_generations(k->dir, err);
	case PUBLIC_PROJECT:
		k->sweep = true;
		return public_tree_remove_project(k->dir, tale->id, err);
	case PUBLIC_CRATE:
		if (public_tree_remove_crate(k->dir, tale->id, tale->name, err) == -1)
			return -1;
		k->sweep = true;
		break;
	case PUBLIC_INDEX:
		break;
	}
	return take_index(k, tale, err);
}

/* Does all that we were told. */
static int
listen_up(struct keeper *k, struct err *err)
{
	struct public_tale tale;
	int rc;

	while ((rc = public_next_tale(k->db, &tale, err)) == 1) {
		if (take_away(k, &tale, err) == -1)
			return -1;
		if (tale.kind == PUBLIC_SYNC && tale.id > k->synced)
			k->synced = tale.id;
		if (tale.kind == PUBLIC_CALL && tale.id == k->called)
			k->heard = tale.id;
	}
	/* in another session, that nothing is told, no statement may be run */
	if (rc == 0 && db_fd(k->db) == -1)
		return err_internal(err, 503, "the connection has ended");
	return rc;
}

/*
 * A session that is not told what another one has said must never serve.  It keeps still until then:
 * one that a pooler shares is told nothing but during its own statements.
 */
static int
hear(struct keeper *k, struct err *err)
{
	int64_t until;

	if (public_call(k->caller, k->arena, &k->called, err) == -1)
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
	if (public_heard(k->db, k->arena, public_dir_node(k->dir), number, err) == -1)
		return -1;
	k->acknowledged = number;
	return 0;
}

/* Point 5 of the header: the order of these is what counts. */
static int
begin(struct keeper *k, struct err *err)
{
	char host[HOST_SIZE] = "";
	struct moment since;
	uint64_t listening;

	(void)gethostname(host, sizeof(host) - 1);
	if (db_connect(k->db, err) == -1)
		return -1;
	listening = db_connections(k->db);
	if (public_listen(k->db, k->arena, err) == -1 || public_dir_clear(k->dir, err) == -1)
		return -1;
	k->sweep = true;
	k->synced = k->acknowledged = 0;
	if (hear(k, err) == -1)
		return -1;
	since = now();
	if (public_register(k->db, k->arena, public_dir_node(k->dir), host,
		k->settings->public_lease, err) == -1)
		return -1;
	/* a session that answers too late is given up, and the next one is told nothing */
	if (db_connections(k->db) != listening)
		return err_internal(err, 503, "the session that listened has ended");
	return lease(k, &since, err);
}

static int
renew(struct keeper *k, struct err *err)
{
	struct moment since = now();

	if (hear(k, err) == -1 ||
	    public_renew(k->db, k->arena, public_dir_node(k->dir), k->settings->public_lease,
		err) == -1)
		return -1;
	/* so late that somebody may have seen the old one end */
	if (clock_us() >= k->end_us)
		return err_internal(err, 503, "this node's lease has ended");
	return lease(k, &since, err);
}

/* A 31-bit number that moves with the bytes: ETags are made of it on all nodes alike. */
static time_t
time_of_bytes(struct slice s)
{
	uint32_t h = 2166136261;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619;
	return (time_t)(h & INT32_MAX);
}

static int
write_file(struct keeper *k, const struct public_want *w, const struct public_content *c,
    struct err *err)
{
	struct slice config;

	if (w->version[0] != '\0')
		return public_tree_put_link(k->dir, w, arena_printf(k->arena, "%s/%s",
		    k->settings->store, blob_path(k->arena, c->cksum)), err);
	if (w->generation[0] != '\0') {
		const struct crate_index index = {
			.etag = c->index_etag,
			.time = c->index_time,
			.body = c->index,
		};

		return kept_index_put(k->dir, k->arena, w, &index, err);
	}
	if (w->name[0] != '\0')
		return public_tree_put(k->dir, w, c->index, (time_t)c->index_time, err);
	config = registry_config(k->arena, k->settings->external_url, w->project_id, NULL, false);
	return public_tree_put(k->dir, w, config, time_of_bytes(config), err);
}

/* Point 2: no notification is looked at between the read and the file.  -1: the database. */
static int
provide(struct keeper *k, const struct public_want *w, struct err *err)
{
	struct public_content content;
	struct err disk = { 0 };

	if (public_tree_has(k->dir, w))
		return 0;
	if (public_read(k->db, k->arena, w, &content, err) == -1)
		return -1;
	FAULT_POINT("public", "read");
	/* where the disk does not take it the pool goes on answering */
	if (content.found && write_file(k, w, &content, &disk) == -1)
		complain(k, &disk);
	return 0;
}

/* One step of a keeper that serves.  -1: it cannot be sure any more. */
static int
step(struct keeper *k, struct err *err)
{
	struct public_want want;
	int64_t left;

	if (listen_up(k, err) == -1 || acknowledge(k, err) == -1)
		return -1;
	left = k->renew_us - clock_us();
	if (left <= 0)
		return renew(k, err);
	if (public_dir_next_want(k->dir, &want))
		return provide(k, &want, err);
	if (k->sweep)
		public_tree_sweep(k->dir, &k->sweep);
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
	public_tree_sweep(k->dir, &k->sweep);
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
			log_info("public files: served from %s", k->settings->public_dir);
		}
	}
}

/* Nobody has to wait for the end of our lease. */
static void
end(struct keeper *k)
{
	struct err err = { 0 };

	db_set_deadline(k->db, clock_us() + SECOND);
	if (public_dir_clear(k->dir, &err) == -1 ||
	    (k->serving && db_fd(k->db) != -1 &&
	        public_release(k->db, k->arena, public_dir_node(k->dir), &err) == -1))
		log_warn("public files: %s", err.detail);
}

/* Another keeper may be about to end: that of the pool before a reload. */
static void
open_dir(struct keeper *k)
{
	while (!k->stopping && k->dir == NULL) {
		struct err err = { 0 };

		if (public_dir_open(k->settings->public_dir, &k->dir, &err) == -1)
			complain(k, &err);
		if (k->dir == NULL)
			wait_ms(k, RETRY_MS);
	}
}

int
public_keeper_run(const struct settings *settings)
{
	struct keeper k = { .settings = settings };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	k.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k.signal_fd == -1) {
		log_error("public files: no resources");
		return 1;
	}
	k.arena = arena_new();
	k.db = db_new(settings->database, settings->database_timeout * 1000);
	k.caller = db_new(settings->database, settings->database_timeout * 1000);
	open_dir(&k);
	serve(&k);
	if (k.dir != NULL)
		end(&k);
	public_dir_close(k.dir);
	db_free(k.caller);
	db_free(k.db);
	arena_free(k.arena);
	close(k.signal_fd);
	return 0;
}
