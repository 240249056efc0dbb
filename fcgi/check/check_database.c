#include "check/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "store/blob/blob_store.h"
#include "store/blob/store_identity.h"
#include "store/blob/store_mark.h"
#include "store/blob/store_node.h"
#include "store/flag.h"
#include "store/token/issuer.h"
#include "store/token/token_slot.h"

enum { SECOND_MS = 1000 };

/* A start does not need the database: a pool waits for it. */
static void
warn_of_database(struct checking *c)
{
	enum { CAUSE_MAX = 380 }; /* what the sentence needs remains */
	bool away = c->health.schema <= DB_SCHEMA_FITS;

	check_say(c, CHECK_WARNING, "%s%.*s%s; %sstore and token_key are not checked",
	    away ? "the database does not answer (" : "", CAUSE_MAX, c->database.detail, away ? ")" : "",
	    away ? "encoding, " : "");
}

/* Are the connection strings well-formed? */
static int
check_conninfos(const struct settings *s, struct err *err)
{
	if (db_check_conninfo(s->database, err) == -1)
		return -1;
	if (db_check_conninfo(s->database_direct, err) == -1)
		return err_context(err, "database_direct");
	if (s->database_read[0] != '\0' && db_check_conninfo(s->database_read, err) == -1)
		return err_context(err, "database_read");
	return 0;
}

void
check_database(struct checking *c)
{
	struct err err = { 0 };

	if (check_conninfos(c->settings, &err) == -1 ||
	    (c->who != CHECK_SERVICE && db_check_server(c->settings->database_direct, &err) == -1)) {
		check_say_error(c, CHECK_CRITICAL, &err);
		return;
	}
	check_look(c);
	if (c->database.status != 0 && c->who != CHECK_SERVICE)
		warn_of_database(c);
	else if (c->database.status != 0)
		check_say_error(c, CHECK_CRITICAL, &c->database);
	else if (!c->health.writable && c->who == CHECK_SERVICE)
		check_say(c, CHECK_CRITICAL, "it accepts no writes: promote it, or connect to the primary");
	else
		check_say(c, CHECK_OK, "answers");
}

/* The beginning of a sentence: what holds the locks. */
static const char *
name_holder(struct arena *a, const struct health_lock *lock)
{
	switch (lock->holder) {
	case HOLDER_PREPARED:
		return "a prepared transaction";
	case HOLDER_VACUUM:
		return arena_printf(a, "autovacuum (process %" PRId64 " of the server)", lock->pid);
	case HOLDER_SESSION:
	case HOLDER__KINDS:
		break;
	}
	return arena_printf(a, "session %" PRId64 " of the role %s (%s)", lock->pid, lock->role, lock->program);
}

/* The end of it: what to do. */
static const char *
tell_holder(struct arena *a, const struct health_lock *lock)
{
	switch (lock->holder) {
	case HOLDER_PREPARED:
		return arena_printf(a, "end it with COMMIT PREPARED or ROLLBACK PREPARED; the view pg_prepared_xacts "
		    "lists all, and the oldest is `%s`", lock->gid != NULL ? lock->gid : "");
	case HOLDER_VACUUM:
		return "let it finish, since it gives way by itself unless it prevents a wraparound of transaction ids; "
		    "the view pg_stat_progress_vacuum shows how far it is";
	case HOLDER_SESSION:
	case HOLDER__KINDS:
		break;
	}
	return arena_printf(a, "if it hangs, end it with SELECT pg_terminate_backend(%" PRId64 ")", lock->pid);
}

void
check_locks(struct checking *c)
{
	struct health_lock lock;
	struct err err = { 0 };
	enum check_state state;
	bool any;

	if (!check_requires_database(c))
		return;
	if (health_lock(c->db, c->arena, &any, &lock, &err) == -1) {
		check_say_error(c, CHECK_CRITICAL, &err);
		return;
	}
	state = any ? check_above(c, lock.age_s) : CHECK_OK;
	if (state == CHECK_OK)
		check_say(c, CHECK_OK, "no session waits for long");
	else
		check_say(c, state, "%s has locks for which %" PRId64 " session%s, one for %" PRId64 " s: %s",
		    name_holder(c->arena, &lock), lock.sessions, lock.sessions == 1 ? " waits" : "s wait",
		    lock.age_s, tell_holder(c->arena, &lock));
}

void
check_rights(struct checking *c)
{
	struct health_rights rights;
	struct err err = { 0 };

	if (!check_requires_database(c))
		return;
	if (health_rights(c->db, c->arena, &rights, &err) == -1)
		check_say_error(c, CHECK_CRITICAL, &err);
	else if (rights.lacking > 0)
		check_say(c, CHECK_CRITICAL,
		    "the role %s lacks %" PRId64 " of its rights in the database, such as %s: run `berth migrate "
		    "--grant-to %s` as the owner of the tables",
		    rights.role, rights.lacking, rights.first, rights.role);
	else
		check_say(c, CHECK_OK, "the role %s has those that the programs need", rights.role);
}

void
check_versions(struct checking *c)
{
	int64_t sessions;
	const char *programs;
	struct err err = { 0 };

	check_look(c);
	if (c->health.schema > DB_SCHEMA_FITS)
		check_say_error(c, CHECK_CRITICAL, &c->database);
	if (!check_requires_database(c))
		return;
	if (health_programs(c->db, c->arena, &sessions, &programs, &err) == -1)
		check_say_error(c, CHECK_CRITICAL, &err);
	else if (sessions > 0)
		check_say(c, CHECK_WARNING,
		    "pools or workers of another version use this database (sessions: %" PRId64
		    " of %s): finish the upgrade on all hosts",
		    sessions, programs);
	else
		check_say(c, CHECK_OK, "schema and programs fit");
}

/* Somebody may have forgotten to end the maintenance. */
void
check_writes(struct checking *c)
{
	struct err err = { 0 };
	bool on;

	if (!check_requires_database(c))
		return;
	if (flag_ask(c->db, c->arena, FLAG_WRITES, &on, &err) == -1)
		check_say_error(c, CHECK_CRITICAL, &err);
	else if (on)
		check_say(c, CHECK_OK, "are switched on");
	else
		check_say(c, CHECK_WARNING,
		    "the registry is read-only for maintenance: `berth flag unset writes` ends it");
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * SECOND_MS + ts.tv_nsec / 1000000;
}

void
check_clock(struct checking *c)
{
	struct health_server server;
	struct err err = { 0 };
	int64_t before, after, apart;

	if (!check_requires_database(c))
		return;
	before = now_ms();
	if (health_server(c->db, c->arena, &server, &err) == -1) {
		check_say_error(c, CHECK_CRITICAL, &err);
		return;
	}
	after = now_ms();
	/* the answer was made at some time in between */
	apart = server.now_ms < before  ? before - server.now_ms
		: server.now_ms > after ? server.now_ms - after
					: 0;
	check_say(c, check_above(c, apart / SECOND_MS),
	    "this host and the database are %" PRId64 ".%03d s apart%s", apart / SECOND_MS,
	    (int)(apart % SECOND_MS),
	    check_above(c, apart / SECOND_MS) == CHECK_OK ? "" : ": set both clocks by NTP");
}

void
check_store(struct checking *c)
{
	char warning[ERR_DETAIL_SIZE];
	struct err err = { 0 };
	bool refused;

	if (!check_requires_database(c))
		return;
	if ((c->who == CHECK_SERVICE && !c->settings->blobs->kind->copies &&
	        check_store_is_there(c->settings->blobs, &err) == -1) ||
	    store_identity_test(c->db, c->arena, c->settings->blobs, warning, sizeof(warning), &err) == -1 ||
	    (c->who == CHECK_SERVICE && blob_store_ask(c->arena, c->settings->blobs, &refused, &err) == -1))
		check_say_error(c, CHECK_CRITICAL, &err);
	else if (warning[0] != '\0')
		check_say(c, CHECK_WARNING, "%s", warning);
	else
		check_say(c, CHECK_OK, "belongs to the database");
}

void
check_token_slots(struct checking *c)
{
	const struct settings *s = c->settings;
	struct token_slot_view view = { .any = false };
	struct err err = { 0 };

	/* without both nginx proves no token, and is not meant to */
	if (s->token_key[0] == '\0' && s->cache_dir[0] == '\0') {
		check_say(c, CHECK_NONE, "there is no token_key");
		return;
	}
	if (!check_requires_database(c))
		return;
	/* a start has said before what is wrong with the file */
	if (token_slot_look(c->db, c->arena, s->token_key, &view, &err) == -1)
		check_say_error(c, c->who == CHECK_SERVICE ? CHECK_CRITICAL : CHECK_NONE, &err);
	else if (view.foreign != NULL)
		check_say(c, CHECK_CRITICAL, "%s", view.foreign);
	else if (view.lacking != NULL)
		check_say(c, CHECK_WARNING, "%s", view.lacking);
	else if (!view.any && s->token_key[0] != '\0')
		check_say(c, CHECK_WARNING, "token_key: no key is live, so new tokens have no proof, and the pool "
		    "answers all reads with them; make a key with `berth key add`");
	else
		check_say(c, CHECK_OK, "this host has the keys of all live slots");
}

void
check_collection(struct checking *c)
{
	struct store_status s;
	struct err err = { 0 };

	if (!check_requires_database(c))
		return;
	if (store_status_read(c->db, c->arena, &s, &err) == -1)
		check_say_error(c, CHECK_CRITICAL, &err);
	else if (s.restored)
		check_say(c, CHECK_WARNING,
		    "the database was restored from a dump, and nothing leaves the store: run "
		    "`berth store adopt`");
	else if (s.held_files > 0)
		check_say(c, CHECK_WARNING,
		    "a collection would remove %" PRId64 " of %" PRId64 " files and waits for "
		    "`berth store collect --confirm`",
		    s.held_files, s.held_of);
	else
		check_say(c, CHECK_OK, "none waits");
}

void
check_fsck(struct checking *c)
{
	struct health_check last;
	int64_t problems, age;
	struct err err = { 0 };

	if (!check_requires_database(c))
		return;
	if (health_check(c->db, c->arena, &last, &err) == -1) {
		check_say_error(c, CHECK_CRITICAL, &err);
		return;
	}
	problems = last.problems > last.damaged ? last.problems : last.damaged;
	if (last.checked_at == 0 && problems == 0) {
		check_say(c, CHECK_NONE, "database, index and store were never compared");
		return;
	}
	age = last.checked_at == 0 ? 0 : (int64_t)time(NULL) - last.checked_at;
	if (problems > 0)
		check_say(c, CHECK_WARNING,
		    "%" PRId64 " problem%s in database, index and store: `berth fsck` names each", problems,
		    problems == 1 ? "" : "s");
	if (check_above(c, age) != CHECK_OK)
		check_say(c, check_above(c, age),
		    "the last complete check was %" PRId64 " days ago: run `berth fsck`", age / 86400);
	else if (problems == 0)
		check_say(c, CHECK_OK, "the last complete check left no problems");
}

void
check_worker(struct checking *c)
{
	char node[STORE_NODE_NAME_SIZE];
	const char *failing;
	struct err err = { 0 };
	int64_t age;

	if (!check_requires_database(c))
		return;
	store_node_name(c->settings->node, node);
	if (health_worker(c->db, c->arena, node, &age, &failing, &err) == -1)
		check_say_error(c, CHECK_CRITICAL, &err);
	else if (age == -1)
		check_say(c, CHECK_NONE, "node %s has never had a worker", node);
	else
		check_say(c, check_above(c, age), "node %s: last seen to work %" PRId64 " s ago%s", node, age,
		    check_above(c, age) == CHECK_OK ? ""
		    : strstr(failing, "probe_store") != NULL
			? ": its task probe_store fails: `berth tasks list` has the error"
			: ": check whether berth-worker runs");
}

/* "probe_store of node NODE" */
static const char *
task_name(struct arena *a, const struct health_tasks *t)
{
	return t->node == NULL ? t->kind : arena_printf(a, "%s of node %s", t->kind, t->node);
}

static void
say_late(struct checking *c, const struct health_tasks *t)
{
	if (check_above(c, t->late_s) == CHECK_OK)
		return;
	check_say(c, check_above(c, t->late_s),
	    "%s has been due for %" PRId64 " s: check whether berth-worker runs%s", task_name(c->arena, t),
	    t->late_s,
	    t->node == NULL ? ""
			    : " there; if the node is gone for good, remove its tasks with `berth tasks remove`");
}

void
check_tasks(struct checking *c)
{
	const struct health_tasks *latest = NULL;
	struct health_tasks *tasks;
	struct err err = { 0 };
	size_t n;

	if (!check_requires_database(c))
		return;
	if (health_tasks(c->db, c->arena, &tasks, &n, &err) == -1) {
		check_say_error(c, CHECK_CRITICAL, &err);
		return;
	}
	if (n == 0)
		check_say(c, CHECK_WARNING, "no worker has ever run: start berth-worker");
	for (size_t i = 0; i < n; i++) {
		if (latest == NULL || tasks[i].late_s > latest->late_s)
			latest = &tasks[i];
		if (tasks[i].dead > 0 || tasks[i].failing > 0)
			check_say(c, CHECK_WARNING, "%s has failed: `berth tasks list` has the error",
			    task_name(c->arena, &tasks[i]));
	}
	if (latest != NULL)
		say_late(c, latest);
	check_say(c, CHECK_OK, "none has failed; the oldest has been due for %" PRId64 " s",
	    latest != NULL ? latest->late_s : 0);
}

void
check_search(struct checking *c)
{
	struct err err = { 0 };
	int64_t late;

	if (!check_requires_database(c))
		return;
	if (health_search(c->db, c->arena, &late, &err) == -1)
		check_say_error(c, CHECK_CRITICAL, &err);
	else
		check_say(c, check_above(c, late), "shows crates as they were %" PRId64 " s ago%s", late,
		    check_above(c, late) == CHECK_OK ? "" : ": check whether berth-worker runs");
}

/*
 * The last read of its keys failed, which only the jobs of this issuer notice.  Nobody tries again until
 * another job comes, so how old the keys are by now says nothing.
 */
static void
say_failed(struct checking *c, const struct issuer *issuer)
{
	char failed_at[CLOCK_RFC3339_SIZE], read_at[CLOCK_RFC3339_SIZE];
	bool over = issuer->failed_at - issuer->fetched_at >= c->settings->issuer_keys_max_age;

	clock_rfc3339((time_t)issuer->failed_at, failed_at);
	clock_rfc3339((time_t)issuer->fetched_at, read_at);
	if (issuer->fetched_at == 0)
		check_say(c, CHECK_WARNING,
		    "%s: its keys were never read, and the last try failed at %s: the log of berth-fcgi says why",
		    issuer->url, failed_at);
	else
		check_say(c, over ? CHECK_CRITICAL : CHECK_WARNING,
		    "%s: its keys were last read at %s, and the last try failed at %s%s: the log of berth-fcgi says "
		    "why",
		    issuer->url, read_at, failed_at, over ? ", so its tokens are refused" : "");
}

/* Tokens of a misspelt issuer never come, so nothing fails. */
static void
check_issuer(struct checking *c, const struct issuer *issuer)
{
	int64_t unused = issuer->fetched_at != 0 ? 0 : (int64_t)time(NULL) - issuer->created_at;

	if (issuer->failed_at != 0)
		say_failed(c, issuer);
	else if (check_above(c, unused) != CHECK_OK)
		check_say(c, check_above(c, unused),
		    "%s: its keys were never read, because no job has come with its token: compare the URL with the "
		    "`iss` of a token, or disable the issuer",
		    issuer->url);
	else
		check_say(c, CHECK_OK, "%s", issuer->url);
}

void
check_issuers(struct checking *c)
{
	struct issuer *issuers;
	struct err err = { 0 };
	size_t n, enabled = 0;

	if (!check_requires_database(c))
		return;
	if (issuer_list(c->db, c->arena, &issuers, &n, &err) == -1) {
		check_say_error(c, CHECK_CRITICAL, &err);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (!issuers[i].enabled)
			continue;
		check_issuer(c, &issuers[i]);
		enabled++;
	}
	if (enabled == 0)
		check_say(c, CHECK_NONE, "no issuer of identity tokens is trusted");
}
