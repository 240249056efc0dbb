#include "api/gitlab/packages.h"

#include <inttypes.h>

#include "api/gitlab/package_json.h"
#include "call/json_response.h"
#include "call/params.h"

const struct route_policy packages_policy = { .action = ACTION_READ_PACKAGE,
	.flag = FLAG_PACKAGES_API };
const struct route_policy packages_group_policy = { .action = ACTION_READ_PACKAGE,
	.namespace_kind = NAMESPACE_GROUP, .flag = FLAG_PACKAGES_API };

static const char *const types[] = { "cargo", "maven", "npm", "conan", "nuget", "pypi", "composer",
	"generic", "golang", "debian", "rubygems", "helm", "terraform_module", "rpm", "ml_model" };

static const char *const statuses[] = { "default", "hidden", "processing", "error",
	"pending_destruction", "deprecated" };

#define COUNT(x) (sizeof(x) / sizeof(*(x)))

struct query {
	struct package_query q;
	struct pagination page;
	bool nothing; /* no package can be one of these */
};

static int
read_order(struct params *p, bool of_group, struct package_query *q)
{
	/* one word more than a project's lists know; all packages are of one type */
	static const char *const words[] = { "created_at", "type", "name", "version",
		"project_path" };
	static const enum package_order orders[] = { PACKAGE_BY_CREATED_AT, PACKAGE_BY_CREATED_AT,
		PACKAGE_BY_NAME, PACKAGE_BY_VERSION, PACKAGE_BY_PROJECT_PATH };
	static const char *const directions[] = { "asc", "desc" };
	size_t order = 0, direction = 0;

	if (params_word(p, "order_by", words, COUNT(words) - !of_group, &order) == -1 ||
	    params_word(p, "sort", directions, COUNT(directions), &direction) == -1)
		return -1;
	q->order = orders[order];
	q->descending = direction == 1;
	return 0;
}

static int
read_filters(struct params *p, struct query *query)
{
	struct package_query *q = &query->q;
	size_t type = 0, status = COUNT(statuses);
	bool versionless = false;

	if (params_word(p, "package_type", types, COUNT(types), &type) == -1 ||
	    params_word(p, "status", statuses, COUNT(statuses), &status) == -1 ||
	    params_str(p, "package_name", &q->name) == -1 ||
	    params_bool(p, "exact_name", &q->name_is_whole) == -1 ||
	    params_str(p, "package_version", &q->version) == -1 ||
	    params_bool(p, "include_versionless", &versionless) == -1)
		return -1;
	/* every package here has a version, so that nothing more is to be included */
	query->nothing = type != 0;
	q->statuses = status < COUNT(statuses) ? &statuses[status] : package_listed;
	q->nstatuses = status < COUNT(statuses) ? 1 : PACKAGE_NLISTED;
	return 0;
}

static int
read_query(struct params *p, bool of_group, struct query *query)
{
	struct package_query *q = &query->q;

	if (read_order(p, of_group, q) == -1 || read_filters(p, query) == -1 ||
	    pagination_read(p, &query->page) == -1)
		return -1;
	q->limit = query->page.size;
	q->offset = pagination_offset(&query->page);
	return 0;
}

/*
 * A list of any length is turned as far as its count goes; a longer one as far as that costs
 * little.
 */
static int
check_offset(struct request *rq, const struct query *query)
{
	if (query->q.offset > PACKAGE_OFFSET_MAX)
		return err_set(&rq->err, 400,
		    "the list has too many entries to page beyond entry %d; filter it by "
		    "package_name, package_version or status", PACKAGE_OFFSET_MAX);
	return 0;
}

struct list {
	struct package_entry *entries;
	size_t n;
	int64_t total;
};

static int
find(struct call *call, struct request *rq, struct query *query, struct list *l)
{
	int rc;

	*l = (struct list) { .n = 0 };
	if (query->nothing || (query->q.project_id == 0 && query->q.nprojects == 0))
		return 0;
	/* a page past the end is empty, and found to be so without going there */
	if (query->q.offset > PACKAGE_OFFSET_MAX)
		query->q.limit = 0;
	do
		rc = package_list(replica_choose(&call->replica), rq->arena, &query->q, &l->entries, &l->n, &l->total,
		    &rq->err);
	while (replica_again(&call->replica));
	if (rc == -1)
		return -1;
	return l->total > PACKAGE_COUNT_MAX ? check_offset(rq, query) : 0;
}

static int
respond(struct worker_app *app, struct request *rq, struct response *rs,
    const struct query *query, const struct list *l, const struct package_audience *audiences)
{
	struct json_response json;

	json_response_init(&json, rq);
	json_out_open(&json.o, '[');
	for (size_t i = 0; i < l->n; i++) {
		json_out_open(&json.o, '{');
		package_json_members(&json.o, &l->entries[i], &audiences[i]);
		json_out_close(&json.o, '}');
	}
	json_out_close(&json.o, ']');
	if (l->total > PACKAGE_COUNT_MAX)
		pagination_headers_uncounted(app, rq, rs, &query->page, l->n);
	else
		pagination_headers(app, rq, rs, &query->page, l->total);
	return json_response_send(&json, rq, rs, 200);
}

int
packages_list(struct call *call, struct request *rq, struct response *rs)
{
	struct package_audience *audiences;
	struct query query = { 0 };
	struct params params;
	struct list l;
	bool can_delete, sees_pipelines;

	if (params_read(rq, &params) == -1 || read_query(&params, false, &query) == -1)
		return -1;
	query.q.project_id = call->facts.project_id;
	if (find(call, rq, &query, &l) == -1)
		return -1;
	audiences = arena_calloc(rq->arena, l.n, sizeof(*audiences));
	can_delete = app_may(&call->facts, ACTION_DELETE_PACKAGE);
	sees_pipelines = app_may(&call->facts, ACTION_READ_PIPELINES);
	for (size_t i = 0; i < l.n; i++)
		audiences[i] = (struct package_audience) { call->app->settings->external_url,
			can_delete, sees_pipelines, false };
	return respond(call->app, rq, rs, &query, &l, audiences);
}

/* The ids of those projects whose packages the caller may read. */
static int64_t *
readable(struct request *rq, struct access_facts *facts, size_t n, size_t *nids)
{
	int64_t *ids = arena_calloc(rq->arena, n, sizeof(*ids));

	*nids = 0;
	for (size_t i = 0; i < n; i++) {
		access_facts_switch(&facts[i], FLAG_PACKAGES_API);
		if (app_may(&facts[i], ACTION_READ_PACKAGE))
			ids[(*nids)++] = facts[i].project_id;
	}
	return ids;
}

static bool
may_in(const struct access_facts *facts, size_t n, int64_t project_id, enum action action)
{
	for (size_t i = 0; i < n; i++) {
		if (facts[i].project_id == project_id)
			return app_may(&facts[i], action);
	}
	return false;
}

int
packages_list_group(struct call *call, struct request *rq, struct response *rs)
{
	struct package_audience *audiences;
	struct access_facts *facts;
	struct query query = { 0 };
	struct params params;
	bool exclude = false;
	struct list l;
	size_t nfacts;

	if (params_read(rq, &params) == -1 || read_query(&params, true, &query) == -1 ||
	    params_bool(&params, "exclude_subgroups", &exclude) == -1 ||
	    access_facts_projects(call->app->db, rq->arena, call->facts.token_id,
	        call->facts.group_id, !exclude, &facts, &nfacts, &rq->err) == -1)
		return -1;
	replica_outdate(&call->replica);
	query.q.projects = readable(rq, facts, nfacts, &query.q.nprojects);
	if (find(call, rq, &query, &l) == -1)
		return -1;
	audiences = arena_calloc(rq->arena, l.n, sizeof(*audiences));
	for (size_t i = 0; i < l.n; i++) {
		int64_t id = l.entries[i].project_id;

		audiences[i] = (struct package_audience) { call->app->settings->external_url,
			may_in(facts, nfacts, id, ACTION_DELETE_PACKAGE),
			may_in(facts, nfacts, id, ACTION_READ_PIPELINES), true };
	}
	return respond(call->app, rq, rs, &query, &l, audiences);
}
