#include "store/public.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/flag.h"

/* Between two looks whether all nodes have heard: mostly they have within few milliseconds. */
enum { LOOK_MIN_MS = 1, LOOK_MAX_MS = 20, AWAY_MS = 50 };

/* Has this session told the keepers anything, or may it have? */
static bool
has_told(struct db *db, struct arena *a)
{
	struct err away;
	struct db_result r;
	bool unknown;

	if (!db_take_commit(db, &unknown))
		return false;
	/* where it is unknown the session that knew is lost, as it is where it does not answer */
	return db_exec(db, a, STMT_PUBLIC_TOLD, NULL, &r, &away) == -1 || unknown ||
	    /* of a pooler, that may have come to share sessions since */
	    db_is_pooled(db) || db_bool(&r, 0, 0);
}

/* The hosts of nodes that may not have heard of what was before the number; NULL: all have. */
static int
who_is_left(struct db *db, struct arena *a, int64_t number, const char **hosts, struct err *err)
{
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_int(&p, number);
	if (db_exec(db, a, STMT_PUBLIC_SYNC_LEFT, &p, &r, err) == -1)
		return -1;
	*hosts = db_str(&r, 0, 0);
	return 0;
}

/* Asks all nodes, and waits for them. */
static int
wait_for_nodes(struct db *db, struct arena *a, int64_t until_us, struct err *err)
{
	const char *hosts;
	struct db_result r;
	int64_t number;

	if (db_exec(db, a, STMT_PUBLIC_SYNC, NULL, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return 0;
	number = db_int(&r, 0, 0);
	for (int ms = LOOK_MIN_MS;; ms = 2 * ms < LOOK_MAX_MS ? 2 * ms : LOOK_MAX_MS) {
		if (who_is_left(db, a, number, &hosts, err) == -1)
			return -1;
		if (hosts == NULL)
			return 0;
		if (clock_us() >= until_us)
			return err_internal(err, 503, "not heard by %s", hosts);
		(void)poll(NULL, 0, ms);
	}
}

int
public_settle(struct db *db, struct arena *a, int64_t until_us, struct err *err)
{
	if (!has_told(db, a))
		return 0;
	while (wait_for_nodes(db, a, until_us, err) == -1) {
		/* a database that is away comes back, and any session can ask */
		if (err->status != 503 || clock_us() >= until_us)
			return -1;
		err_clear(err);
		(void)poll(NULL, 0, AWAY_MS);
	}
	return 0;
}

int
public_listen(struct db *db, struct arena *a, struct err *err)
{
	if (db_exec(db, a, STMT_PUBLIC_LISTEN_KEEPERS, NULL, NULL, err) == -1)
		return -1;
	return db_exec(db, a, STMT_PUBLIC_LISTEN, NULL, NULL, err);
}

int
public_call(struct db *db, struct arena *a, int64_t *number, struct err *err)
{
	struct db_result r;

	if (db_exec(db, a, STMT_PUBLIC_CALL, NULL, &r, err) == -1)
		return -1;
	*number = db_int(&r, 0, 0);
	return 0;
}

int
public_register(struct db *db, struct arena *a, const char *node, const char *host,
    int64_t seconds, struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_str(&p, node);
	db_bind_str(&p, host);
	db_bind_int(&p, seconds);
	if (db_exec(db, a, STMT_PUBLIC_FORGET, NULL, NULL, err) == -1)
		return -1;
	return db_exec(db, a, STMT_PUBLIC_REGISTER, &p, NULL, err);
}

int
public_renew(struct db *db, struct arena *a, const char *node, int64_t seconds, struct err *err)
{
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, node);
	db_bind_int(&p, seconds);
	if (db_exec(db, a, STMT_PUBLIC_RENEW, &p, &r, err) == -1)
		return -1;
	return r.affected == 1 ? 0 : err_internal(err, 503, "this node's lease has ended");
}

int
public_release(struct db *db, struct arena *a, const char *node, struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_str(&p, node);
	return db_exec(db, a, STMT_PUBLIC_RELEASE, &p, NULL, err);
}

bool
public_tale_parse(const char *text, struct public_tale *tale)
{
	static const struct {
		char letter;
		enum public_tale_kind kind;
		bool named;
	} kinds[] = {
		{ 'i', PUBLIC_INDEX, true },
		{ 'c', PUBLIC_CRATE, true },
		{ 'p', PUBLIC_PROJECT, false },
		{ 's', PUBLIC_SYNC, false },
		{ 'h', PUBLIC_CALL, false },
	};
	struct err wrong;
	char *end;
	size_t i = 0;

	while (i < sizeof(kinds) / sizeof(*kinds) && kinds[i].letter != text[0])
		i++;
	*tale = (struct public_tale) { .kind = text[0] == 'g' ? PUBLIC_GENERATION : PUBLIC_ALL };
	if (strcmp(text, "a") == 0 || strcmp(text, "g") == 0)
		return true;
	if (i == sizeof(kinds) / sizeof(*kinds) || text[1] != ' ')
		return false;
	tale->kind = kinds[i].kind;
	errno = 0;
	tale->id = strtoll(text + 2, &end, 10);
	if (errno != 0 || tale->id <= 0 || *end != (kinds[i].named ? ' ' : '\0'))
		return false;
	if (!kinds[i].named)
		return true;
	/* it becomes part of a path */
	if (crate_name_check(slice_str(end + 1), "crate", &wrong) == -1)
		return false;
	memcpy(tale->name, end + 1, strlen(end + 1));
	return true;
}

int
public_next_tale(struct db *db, struct public_tale *tale, struct err *err)
{
	char text[128];

	if (!db_notification(db, text, sizeof(text)))
		return 0;
	return public_tale_parse(text, tale) ? 1 : err_internal(err, 500, "a notification makes no sense");
}

int
public_heard(struct db *db, struct arena *a, const char *node, int64_t number, struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_str(&p, node);
	db_bind_int(&p, number);
	return db_exec(db, a, STMT_PUBLIC_HEARD, &p, NULL, err);
}

/* The flags are in the first column of the row, if there is one. */
static bool
is_open(const struct db_result *r, const struct public_want *w)
{
	return r->rows == 1 && flag_is_on(FLAG_CARGO, db_str(r, 0, 0), w->project_id);
}

static int
read_index(struct db *db, struct arena *a, const struct public_want *w, struct public_content *c,
    struct err *err)
{
	const char *lower = crate_name_lower(a, slice_str(w->name));
	bool is_kept = w->generation[0] != '\0';
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_int(&p, w->project_id);
	db_bind_str(&p, crate_name_normalize(a, slice_str(w->name)));
	db_bind_str(&p, lower);
	if (is_kept)
		db_bind_str(&p, w->generation);
	if (db_exec(db, a, is_kept ? STMT_PUBLIC_KEPT_INDEX : STMT_PUBLIC_INDEX, &p, &r, err) == -1)
		return -1;
	c->found = is_open(&r, w);
	if (c->found) {
		c->index = db_slice(&r, 0, 1);
		c->index_time = db_int(&r, 0, 2);
		c->index_etag = is_kept ? db_str(&r, 0, 3) : "";
	}
	return 0;
}

static int
read_version(struct db *db, struct arena *a, const struct public_want *w,
    struct public_content *c, struct err *err)
{
	bool is_signed = w->generation[0] != '\0';
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_int(&p, w->project_id);
	db_bind_str(&p, crate_name_normalize(a, slice_str(w->name)));
	db_bind_str(&p, w->name);
	db_bind_str(&p, w->version);
	if (is_signed)
		db_bind_str(&p, w->generation);
	if (db_exec(db, a, is_signed ? STMT_PUBLIC_SIGNED_VERSION : STMT_PUBLIC_VERSION, &p, &r, err) == -1)
		return -1;
	c->found = is_open(&r, w);
	if (c->found)
		c->cksum = db_str(&r, 0, 1);
	return 0;
}

int
public_read(struct db *db, struct arena *a, const struct public_want *w, struct public_content *c,
    struct err *err)
{
	struct db_params p = { .n = 0 };
	struct db_result r;

	*c = (struct public_content) { .found = false };
	if (w->version[0] != '\0')
		return read_version(db, a, w, c, err);
	if (w->name[0] != '\0')
		return read_index(db, a, w, c, err);
	db_bind_int(&p, w->project_id);
	if (db_exec(db, a, STMT_PUBLIC_PROJECT, &p, &r, err) == -1)
		return -1;
	c->found = is_open(&r, w);
	return 0;
}
