#include "store/package/package_entry.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "store/package/crate_due.h"

static const char *const orders[] = {
	[PACKAGE_BY_CREATED_AT] = "created_at",
	[PACKAGE_BY_NAME] = "name",
	[PACKAGE_BY_VERSION] = "version",
	[PACKAGE_BY_PROJECT_PATH] = "project_path",
};

const char *const package_listed[PACKAGE_NLISTED] = { "default", "deprecated", "error" };

/* Of every statement here that reads packages; TOTAL and IS_PAGE: of package_list_named alone. */
enum { COLUMNS_PACKAGE_LIST_NAMED };

static struct package_entry
read_entry(const struct db_result *r, int i)
{
	return (struct package_entry) {
		.id = db_int(r, i, ID),
		.project_id = db_int(r, i, PROJECT_ID),
		.project_path = db_str(r, i, PROJECT_PATH),
		.name = db_str(r, i, NAME),
		.version = db_str(r, i, VERSION),
		.status = db_str(r, i, STATUS),
		.status_message = db_str(r, i, STATUS_MESSAGE),
		.yanked = db_bool(r, i, YANKED),
		.yank_message = db_str(r, i, YANK_MESSAGE),
		.created_at = db_str(r, i, CREATED_AT),
		.last_downloaded_at = db_str(r, i, LAST_DOWNLOADED_AT),
		.cksum = db_str(r, i, CKSUM),
		.size = db_int(r, i, SIZE),
		.creator_id = db_int_or_0(r, i, CREATOR_ID),
		.pipeline = {
			.id = db_int_or_0(r, i, PIPELINE),
			.project_id = db_int_or_0(r, i, JOB_PROJECT_ID),
			.job_url = db_str(r, i, JOB_URL),
			.ref = db_str(r, i, REF),
			.commit = db_str(r, i, COMMIT),
			.created_at = db_str(r, i, JOB_CREATED_AT),
			.user_id = db_int_or_0(r, i, USER_ID),
			.username = db_str(r, i, USERNAME),
			.user_name = db_str(r, i, USER_NAME),
			.user_state = db_str(r, i, USER_STATE),
		},
	};
}

static void
read_entries(struct arena *a, const struct db_result *r, struct package_entry **out, size_t *n)
{
	*n = (size_t)r->rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r->rows; i++)
		(*out)[i] = read_entry(r, i);
}

/* The normal form of a part of a name; NULL: no name has such a part. */
static const char *
name_part(struct arena *a, const char *text)
{
	char *part = arena_strdup(a, text);

	for (char *p = part; *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
		else if (*p == '_')
			*p = '-';
		else if (*p != '-' && !(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9'))
			return NULL;
	}
	return part;
}

/*
 * What LIKE takes for names that may hold the part: each word's letters by threes.  An index of
 * threes finds with these nearly what it finds with all that overlap, and reads a third.  NULL:
 * there are none, but the first letter of a word, which too many have.
 */
static const char *
name_threes(struct arena *a, const char *part)
{
	enum { THREE = 3 };
	bool is_first = true, has_three = false;
	struct buf b;
	size_t n;

	buf_init(&b, a, 2 * strlen(part) + sizeof("%-%"));
	buf_putc(&b, '%');
	for (;; part += n + 1, is_first = false) {
		n = strcspn(part, "-");
		has_three |= n >= THREE || (n > 1 && !is_first);
		for (size_t i = 0; i + THREE <= n; i += THREE) {
			buf_put(&b, part + i, THREE);
			buf_putc(&b, '%');
		}
		/* of a short word it is known where it begins, if not at the beginning */
		if (n < THREE) {
			buf_puts(&b, is_first ? "" : "-");
			buf_put(&b, part, n);
			buf_putc(&b, '%');
		}
		if (part[n] == '\0')
			return has_three ? buf_str(&b) : NULL;
	}
}

static void
bind_projects(struct db_params *p, struct arena *a, const struct package_query *q)
{
	const char **ids = arena_calloc(a, q->nprojects, sizeof(*ids));

	for (size_t i = 0; i < q->nprojects; i++)
		ids[i] = arena_printf(a, "%" PRId64, q->projects[i]);
	db_bind_array(p, a, ids, q->nprojects);
}

/* The parameters that lists and counts have in common. */
static void
bind_query(struct db_params *p, struct arena *a, const struct package_query *q)
{
	if (q->project_id != 0)
		db_bind_int(p, q->project_id);
	else
		bind_projects(p, a, q);
	db_bind_array(p, a, q->statuses, q->nstatuses);
	db_bind_str(p, q->name == NULL || q->name_is_whole ? q->name : arena_printf(a, "%%%s%%", q->name));
	db_bind_str(p, q->version);
}

static enum stmt
list_stmt(const struct package_query *q)
{
	if (q->order == PACKAGE_BY_NAME)
		return q->project_id != 0 ? STMT_PACKAGE_LIST_BY_NAME :
					    STMT_PACKAGE_LIST_GROUP_BY_NAME;
	return q->project_id != 0 ? STMT_PACKAGE_LIST : STMT_PACKAGE_LIST_GROUP;
}

static void
list_call(struct db_call *call, struct arena *a, const struct package_query *q)
{
	struct db_params *p = &call->params;

	call->stmt = list_stmt(q);
	bind_query(p, a, q);
	if (q->order != PACKAGE_BY_NAME)
		db_bind_str(p, orders[q->order]);
	db_bind_bool(p, q->descending);
	db_bind_int(p, q->limit);
	db_bind_int(p, q->offset);
}

/* The page, of which *total is known already. */
static int
list_page(struct db *db, struct arena *a, const struct package_query *q,
    struct package_entry **out, size_t *n, struct err *err)
{
	enum { PLAN, LIST, NCALLS };
	struct db_call calls[NCALLS] = { [PLAN] = { .stmt = STMT_PACKAGE_PLAN } };

	list_call(&calls[LIST], a, q);
	if (db_run(db, a, calls, NCALLS, err) == -1)
		return -1;
	read_entries(a, &calls[LIST].result, out, n);
	return 0;
}

/*
 * Asks whether crates of exactly that name are due.  Before the list is read: what somebody else has
 * brought up to date by then, the list has.
 */
static void
look_call(struct db_call *call, struct arena *a, const struct package_query *q)
{
	bool of_one = q->project_id != 0;

	crate_due_look_call(call, a, of_one ? &q->project_id : q->projects, of_one ? 1 : q->nprojects, q->name);
}

static int
list_counted(struct db *db, struct arena *a, const struct package_query *q, bool look,
    struct package_entry **out, size_t *n, int64_t *total, struct err *err)
{
	enum { COLUMNS_PACKAGE_COUNT };
	enum { LOOK, PLAN, LIST, COUNT, NCALLS };
	struct db_call calls[NCALLS] = { [PLAN] = { .stmt = STMT_PACKAGE_PLAN } };
	struct db_params *count = &calls[COUNT].params;

	list_call(&calls[LIST], a, q);
	calls[COUNT].stmt = q->project_id != 0 ? STMT_PACKAGE_COUNT : STMT_PACKAGE_COUNT_GROUP;
	bind_query(count, a, q);
	db_bind_int(count, PACKAGE_COUNT_MAX + 1);
	if (look)
		look_call(&calls[LOOK], a, q);
	if (db_run(db, a, look ? calls : &calls[PLAN], look ? NCALLS : NCALLS - PLAN, err) == -1)
		return -1;
	if (look && crate_due_update_looked(db, a, &calls[LOOK]))
		return list_counted(db, a, q, false, out, n, total, err);
	read_entries(a, &calls[LIST].result, out, n);
	*total = db_int(&calls[COUNT].result, 0, COUNTED);
	return 0;
}

/* By name alone. */
static int
list_named(struct db *db, struct arena *a, const struct package_query *q, bool look,
    struct package_entry **out, size_t *n, int64_t *total, struct err *err)
{
	enum { LOOK, PLAN, LIST, NCALLS };
	struct db_call calls[NCALLS] = { [PLAN] = { .stmt = STMT_PACKAGE_PLAN },
		[LIST] = { .stmt = STMT_PACKAGE_LIST_NAMED } };
	struct db_params *p = &calls[LIST].params;
	const struct db_result *r = &calls[LIST].result;

	db_bind_int(p, q->project_id);
	db_bind_str(p, name_threes(a, q->name));
	db_bind_str(p, q->name);
	db_bind_str(p, orders[q->order]);
	db_bind_bool(p, q->descending);
	db_bind_int(p, q->limit);
	db_bind_int(p, q->offset);
	db_bind_int(p, PACKAGE_COUNT_MAX);
	if (look)
		look_call(&calls[LOOK], a, q);
	if (db_run(db, a, look ? calls : &calls[PLAN], look ? NCALLS : NCALLS - PLAN, err) == -1)
		return -1;
	if (look && crate_due_update_looked(db, a, &calls[LOOK]))
		return list_named(db, a, q, false, out, n, total, err);
	*total = db_int(r, 0, TOTAL);
	if (!db_bool(r, 0, IS_PAGE))
		return list_page(db, a, q, out, n, err);
	*n = 0;
	if (!db_is_null(r, 0, ID))
		read_entries(a, r, out, n);
	return 0;
}

int
package_list(struct db *db, struct arena *a, const struct package_query *asked,
    struct package_entry **out, size_t *n, int64_t *total, struct err *err)
{
	struct package_query q = *asked;

	if (q.name != NULL && q.name[0] == '\0')
		q.name = NULL;
	if (q.name != NULL && (q.name = name_part(a, q.name)) == NULL) {
		*n = 0;
		*total = 0;
		return 0;
	}
	if (q.name != NULL && !q.name_is_whole && q.project_id != 0 && q.version == NULL &&
	    q.statuses == package_listed)
		return list_named(db, a, &q, true, out, n, total, err);
	return list_counted(db, a, &q, q.name != NULL, out, n, total, err);
}

static void
find_call(struct db_call *call, int64_t project_id, int64_t id)
{
	call->stmt = STMT_PACKAGE_FIND;
	db_bind_int(&call->params, project_id);
	db_bind_int(&call->params, id);
}

static int
found(struct arena *a, const struct db_result *r, struct package_entry **out, struct err *err)
{
	size_t n;

	if (r->rows == 0)
		return err_set(err, 404, "Package Not Found");
	read_entries(a, r, out, &n);
	return 0;
}

int
package_find(struct db *db, struct arena *a, int64_t project_id, int64_t id,
    struct package_entry **out, struct err *err)
{
	struct db_call call = { .stmt = STMT__MAX };

	find_call(&call, project_id, id);
	if (db_run(db, a, &call, 1, err) == -1)
		return -1;
	return found(a, &call.result, out, err);
}

int
package_find_with_versions(struct db *db, struct arena *a, int64_t project_id, int64_t id,
    struct package_entry **out, struct package_entry **versions, size_t *nversions,
    struct err *err)
{
	struct db_call calls[] = { { 0 }, { .stmt = STMT_PACKAGE_OTHER_VERSIONS } };

	find_call(&calls[0], project_id, id);
	db_bind_int(&calls[1].params, id);
	db_bind_int(&calls[1].params, PACKAGE_VERSIONS_MAX);
	if (db_run(db, a, calls, 2, err) == -1 || found(a, &calls[0].result, out, err) == -1)
		return -1;
	read_entries(a, &calls[1].result, versions, nversions);
	return 0;
}
