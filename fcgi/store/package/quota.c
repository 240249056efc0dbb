#include "store/package/quota.h"

#include <inttypes.h>

enum { NEARLY = 90, ALL = 100 }; /* percent */

static const struct {
	const char *of; /* "100 bytes of crates" */
} kinds[QUOTA__MAX] = {
	[QUOTA_BYTES] = { "bytes of crates" },
	[QUOTA_VERSIONS] = { "versions" },
	[QUOTA_CRATES] = { "crates" },
};

const char *const quota_keys[QUOTA__MAX] = {
	[QUOTA_BYTES] = "quota_bytes",
	[QUOTA_VERSIONS] = "quota_versions",
	[QUOTA_CRATES] = "quota_crates",
};

void
quota_charge_call(struct db_call *call, int64_t project_id, const int64_t need[QUOTA__MAX])
{
	call->stmt = STMT_QUOTA_CHARGE;
	db_bind_int(&call->params, project_id);
	for (int i = 0; i < QUOTA__MAX; i++)
		db_bind_int(&call->params, need[i]);
}

void
quota_look_call(struct db_call *call, int64_t project_id, int64_t bytes,
    const char *normalized_name)
{
	call->stmt = STMT_QUOTA_LOOK;
	db_bind_int(&call->params, project_id);
	db_bind_int(&call->params, bytes);
	db_bind_str(&call->params, normalized_name);
}

/* The columns of every statement that reads quotas. */
static struct quota
read_row(const struct db_result *r, int row)
{
	enum { COLUMNS_QUOTA_CHARGE };
	struct quota q = { .namespace = db_str(r, row, NAMESPACE) };

	for (int i = 0; i < QUOTA__MAX; i++) {
		q.max[i] = db_is_null(r, row, MAX_BYTES + i) ? QUOTA_NONE : db_int(r, row, MAX_BYTES + i);
		q.used[i] = db_int(r, row, USED_BYTES + i);
	}
	return q;
}

static int
judge(const struct db_call *call, const int64_t need[QUOTA__MAX], const char *bytes_are,
    struct err *err)
{
	for (int row = 0; row < call->result.rows; row++) {
		struct quota q = read_row(&call->result, row);

		for (int i = 0; i < QUOTA__MAX; i++) {
			if (need[i] <= 0 || q.max[i] == QUOTA_NONE || q.used[i] <= q.max[i])
				continue;
			err_set(err, 403,
			    "the quota of `%s` is %" PRId64 " %s: %" PRId64
			    " are used, and this needs %s%" PRId64 " more",
			    q.namespace, q.max[i], kinds[i].of, q.used[i] - need[i],
			    i == QUOTA_BYTES ? bytes_are : "", need[i]);
			return err_because(err, ERR_QUOTA);
		}
	}
	return 0;
}

int
quota_judge(const struct db_call *call, const int64_t need[QUOTA__MAX], struct err *err)
{
	return judge(call, need, "", err);
}

int
quota_judge_least(const struct db_call *call, const int64_t need[QUOTA__MAX], struct err *err)
{
	return judge(call, need, "at least ", err);
}

void
quota_warnings(const struct db_call *call, struct arena *a, struct strings *out)
{
	int rows = call->result.rows;
	const char **all = arena_calloc(a, out->n + (size_t)rows * QUOTA__MAX, sizeof(*all));

	for (size_t i = 0; i < out->n; i++)
		all[i] = out->v[i];
	out->v = all;
	for (int row = 0; row < rows; row++) {
		struct quota q = read_row(&call->result, row);

		for (int i = 0; i < QUOTA__MAX; i++) {
			/* no product of two numbers that somebody has chosen */
			if (q.max[i] == QUOTA_NONE || q.used[i] < q.max[i] - q.max[i] / (ALL / (ALL - NEARLY)))
				continue;
			all[out->n++] = arena_printf(a,
			    "the quota of `%s` is nearly used up: %" PRId64 " of %" PRId64 " %s",
			    q.namespace, q.used[i], q.max[i], kinds[i].of);
		}
	}
}

struct setting {
	struct arena *arena;
	const struct audit_actor *actor;
	const char *full_path;
	const int64_t *max;
};

enum { COLUMNS_QUOTA_NAMESPACE, NIDS };

/* Binds the namespace, of which one id is known. */
static void
bind_namespace(struct db_params *p, const struct db_result *namespace)
{
	for (int column = 0; column < NIDS; column++)
		db_bind_id(p, db_int_or_0(namespace, 0, column));
}

static int
find_namespace(struct db *db, struct arena *a, const char *full_path, struct db_result *namespace,
    struct err *err)
{
	struct db_params p = { .n = 0 };

	db_bind_str(&p, full_path);
	if (db_exec(db, a, STMT_QUOTA_NAMESPACE, &p, namespace, err) == -1)
		return -1;
	if (db_is_null(namespace, 0, PROJECT_ID) && db_is_null(namespace, 0, GROUP_ID))
		return err_set(err, 404, "`%s` does not exist", full_path);
	return 0;
}

static const char *
max_text(struct arena *a, int64_t max)
{
	if (max == INT64_MIN)
		return NULL;
	return max == QUOTA_NONE ? "null" : arena_printf(a, "%" PRId64, max);
}

static int
set_body(struct db *db, void *arg, struct err *err)
{
	enum { SET, DROP, RECOUNT, AUDIT, NCALLS };
	static const enum stmt statements[] = { STMT_QUOTA_SET, STMT_QUOTA_DROP,
		STMT_QUOTA_RECOUNT };
	const struct setting *s = arg;
	struct audit_event event = { .action = AUDIT_QUOTA_SET,
		.facts = { { "path", s->full_path, false } } };
	struct db_call calls[NCALLS] = { 0 };
	struct db_result namespace;

	if (find_namespace(db, s->arena, s->full_path, &namespace, err) == -1 ||
	    db_exec(db, s->arena, STMT_QUOTA_LOCK, NULL, NULL, err) == -1)
		return -1;
	for (int i = SET; i < AUDIT; i++) {
		calls[i].stmt = statements[i];
		bind_namespace(&calls[i].params, &namespace);
	}
	for (int i = 0; i < QUOTA__MAX; i++) {
		if (s->max[i] == INT64_MIN)
			db_bind_null(&calls[SET].params);
		else
			db_bind_int(&calls[SET].params, s->max[i]);
		event.facts[1 + i] =
		    (struct audit_fact) { quota_keys[i], max_text(s->arena, s->max[i]), true };
	}
	event.project_id = db_int_or_0(&namespace, 0, PROJECT_ID);
	audit_call(&calls[AUDIT], s->arena, s->actor, &event);
	return db_run(db, s->arena, calls, NCALLS, err);
}

int
quota_set(struct db *db, struct arena *a, const struct audit_actor *actor, const char *full_path,
    const int64_t max[QUOTA__MAX], struct err *err)
{
	struct setting setting = { a, actor, full_path, max };
	bool unknown;

	return db_transaction(db, set_body, &setting, &unknown, err);
}

int
quota_list(struct db *db, struct arena *a, const char *full_path, struct quota **out, size_t *n,
    struct err *err)
{
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, full_path);
	if (db_exec(db, a, STMT_QUOTA_LIST, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = read_row(&r, i);
	return 0;
}
