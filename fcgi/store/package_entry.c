#include "store/package_entry.h"

#include <inttypes.h>

#include "base/buf.h"

static const char *const orders[] = {
	[PACKAGE_BY_CREATED_AT] = "created_at",
	[PACKAGE_BY_NAME] = "name",
	[PACKAGE_BY_VERSION] = "version",
	[PACKAGE_BY_PROJECT_PATH] = "project_path",
};

/* The columns of every statement here that reads packages. */
enum {
	ID,
	PROJECT,
	PROJECT_PATH,
	NAME,
	VERSION,
	STATUS,
	STATUS_MESSAGE,
	YANKED,
	CREATED_AT,
	CKSUM,
	SIZE,
	CREATOR,
	PIPELINE,
	JOB_PROJECT,
	JOB_URL,
	REF,
	COMMIT,
	JOB_CREATED_AT,
	USER,
	USERNAME,
	USER_NAME,
	USER_STATE,
	LAST_DOWNLOADED_AT
};

static int64_t
id_or_0(const struct db_result *r, int row, int column)
{
	return db_is_null(r, row, column) ? 0 : db_int(r, row, column);
}

static struct package_entry
read_entry(const struct db_result *r, int i)
{
	return (struct package_entry) {
		.id = db_int(r, i, ID),
		.project_id = db_int(r, i, PROJECT),
		.project_path = db_str(r, i, PROJECT_PATH),
		.name = db_str(r, i, NAME),
		.version = db_str(r, i, VERSION),
		.status = db_str(r, i, STATUS),
		.status_message = db_str(r, i, STATUS_MESSAGE),
		.yanked = db_bool(r, i, YANKED),
		.created_at = db_str(r, i, CREATED_AT),
		.last_downloaded_at = db_str(r, i, LAST_DOWNLOADED_AT),
		.cksum = db_str(r, i, CKSUM),
		.size = db_int(r, i, SIZE),
		.creator_id = id_or_0(r, i, CREATOR),
		.pipeline = {
			.id = id_or_0(r, i, PIPELINE),
			.project_id = id_or_0(r, i, JOB_PROJECT),
			.job_url = db_str(r, i, JOB_URL),
			.ref = db_str(r, i, REF),
			.commit = db_str(r, i, COMMIT),
			.created_at = db_str(r, i, JOB_CREATED_AT),
			.user_id = id_or_0(r, i, USER),
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

/* What LIKE takes for a name that holds this text, whatever its spelling. */
static const char *
name_like(struct arena *a, const char *part)
{
	struct buf b;

	buf_init(&b, a, 2 * strlen(part) + sizeof("%%"));
	buf_putc(&b, '%');
	for (; *part != '\0'; part++) {
		char c = *part;

		/* the normal form has no `_`, which would stand for any character */
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		else if (c == '_')
			c = '-';
		else if (c == '%' || c == '\\')
			buf_putc(&b, '\\');
		buf_putc(&b, c);
	}
	buf_putc(&b, '%');
	return buf_str(&b);
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
	db_bind_str(p, q->name != NULL ? name_like(a, q->name) : NULL);
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

int
package_list(struct db *db, struct arena *a, const struct package_query *q,
    struct package_entry **out, size_t *n, int64_t *total, struct err *err)
{
	enum { PLAN, LIST, COUNT, NCALLS };
	struct db_call calls[NCALLS] = { [PLAN] = { .stmt = STMT_PACKAGE_PLAN } };
	struct db_params *list = &calls[LIST].params, *count = &calls[COUNT].params;

	calls[LIST].stmt = list_stmt(q);
	bind_query(list, a, q);
	if (q->order != PACKAGE_BY_NAME)
		db_bind_str(list, orders[q->order]);
	db_bind_bool(list, q->descending);
	db_bind_int(list, q->limit);
	db_bind_int(list, q->offset);
	calls[COUNT].stmt = q->project_id != 0 ? STMT_PACKAGE_COUNT : STMT_PACKAGE_COUNT_GROUP;
	bind_query(count, a, q);
	db_bind_int(count, PACKAGE_COUNT_MAX + 1);
	if (db_run(db, a, calls, NCALLS, err) == -1)
		return -1;
	read_entries(a, &calls[LIST].result, out, n);
	*total = db_int(&calls[COUNT].result, 0, 0);
	return 0;
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
