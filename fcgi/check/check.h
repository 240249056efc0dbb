#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

/*
 * One list of checks, in two tables.  `berth-fcgi -t` and `berth-worker -t` make those that a start depends
 * on, and `berth check` makes those that a registry in use depends on.  A check changes nothing.  It waits
 * for a server only until its time is over, so that all of them together take less than a second.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "config/conf.h"
#include "config/settings.h"
#include "store/db/db.h"
#include "store/health.h"

/* From good to bad. */
enum check_state {
	CHECK_OK,
	CHECK_NONE, /* there is nothing to check, or another check says why it cannot be checked */
	CHECK_WARNING, /* it works, and somebody should look */
	CHECK_CRITICAL, /* it does not work, or will end soon */
	CHECK__STATES
};

/* "ok", "not checked", "warning", "critical" */
extern const char *const check_state_names[CHECK__STATES];

/* Who makes a check. */
enum {
	CHECK_POOL = 1, /* berth-fcgi -t: could the pool start, and work? */
	CHECK_WORKER = 2, /* berth-worker -t */
	CHECK_SERVICE = 4 /* berth check: does everything work? */
};

/* The value from which on a check is no longer good.  Both 0: the check has no limits. */
struct check_limits {
	int64_t warning, critical;
};

enum { CHECKS_MAX = 24 };

/* Times for servers are meant for programs without sanitizers. */
#ifdef BERTH_SANITIZED
enum { CHECK_SLOWNESS = 8 };
#else
enum { CHECK_SLOWNESS = 1 };
#endif

/* What the checks work on. */
struct checking {
	unsigned who; /* one of CHECK_POOL ... */
	const struct settings *settings;
	struct arena *arena;
	struct db *db;
	const char *monitoring; /* http://HOST:PORT of nginx's server for monitoring */
	struct check_limits limits[CHECKS_MAX]; /* in the order of check_service_list */
	/* takes a finding: one sentence or more, without a full stop.  A check can have several. */
	void (*say)(void *arg, enum check_state, const char *text);
	void *arg;
	/* ---- private ---- */
	const struct check_limits *limit; /* of the check that runs */
	bool looked; /* `health` is known */
	int64_t deadline_us; /* of all questions to the database, for CHECK_SERVICE; 0: not known yet */
	bool said_late; /* a finding says that the time was not enough */
	struct health health;
	struct err database; /* what is wrong with the database */
};

struct check {
	const char *name;
	unsigned who; /* those who make it */
	enum conf_type unit; /* of the limits, if there are any: CONF_SECONDS or CONF_SIZE */
	struct check_limits limits; /* the default */
	void (*run)(struct checking *);
};

struct check_list {
	const struct check *checks;
	size_t n;
};

/* Those of -t, of which `berth check` makes some as well; and those of `berth check` alone. */
extern const struct check_list check_start_list, check_service_list;

/*
 * Fills the limits with the defaults, and replaces those of `text`, "NAME=WARNING,CRITICAL".  text NULL: only
 * the defaults.  -1: 400.
 */
void check_limits_default(struct checking *);
int check_limits_parse(struct checking *, const char *text, struct err *)
    __attribute__((warn_unused_result));

/* Makes one check, for `berth check`.  It says something at least once. */
void check_run(struct checking *, const struct check *);

/*
 * Makes the checks of -t of that daemon, and prints warnings and the first critical finding on standard
 * error.  Returns the exit status.
 */
int check_start(const char *program, unsigned who, const struct settings *);

/* ---- for the checks ---- */

/* Says something about what is checked. */
void check_say(struct checking *, enum check_state, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Says the `detail` of an error.  If it is the database's, and the time for that is over, this only warns. */
void check_say_error(struct checking *, enum check_state, const struct err *);

/* Which state has a value that gets worse as it grows, or as it falls? */
enum check_state check_above(const struct checking *, int64_t value);
enum check_state check_below(const struct checking *, int64_t value);

/* Fills `health` and `database`, once. */
void check_look(struct checking *);

/* Is the database there, with a schema that fits, and is time left to ask it?  If not, says so. */
bool check_requires_database(struct checking *);

/* Is the directory of the store there?  It need not be before the first start of a pool.  -1: 500. */
int check_store_is_there(const struct blob_store *, struct err *) __attribute__((warn_unused_result));

/* The checks, one function for each. */
void check_database(struct checking *);
void check_sockets(struct checking *);
void check_inspector(struct checking *);
void check_directories(struct checking *);
void check_token_key(struct checking *);
void check_store(struct checking *);
void check_token_slots(struct checking *);
void check_readers(struct checking *);
void check_units(struct checking *);
void check_workers(struct checking *);
void check_locks(struct checking *);
void check_rights(struct checking *);
void check_versions(struct checking *);
void check_writes(struct checking *);
void check_clock(struct checking *);
void check_disk(struct checking *);
void check_worker(struct checking *);
void check_tasks(struct checking *);
void check_search(struct checking *);
void check_issuers(struct checking *);
void check_collection(struct checking *);
void check_fsck(struct checking *);
void check_pool(struct checking *);
void check_certificate(struct checking *);
void check_nginx(struct checking *);

#endif
