#include "api/cargo/search.h"

#include "auth/ci_login.h"
#include "base/buf.h"
#include "base/json.h"
#include "call/params.h"
#include "crate/search_query.h"
#include "store/package/search.h"

enum {
	PER_PAGE_DEFAULT = 10,
	PER_PAGE_MAX = 100,
	PAGINATION_MAX = 200, /* nobody turns more, and each costs what lies before it */
	RESPONSE_MAX = 4 << 20
};

/*
 * The search itself is not the route's first read: who may not see the project shall not make
 * the database search it.
 */
const struct route_policy search_policy = { .action = ACTION_READ_PACKAGE,
	.flag = FLAG_SEARCH };

/* The page that is asked for; takes the query apart. */
static int
read_ask(struct request *rq, struct search_query *query, struct search_ask *ask)
{
	/* a GET has no body to look into */
	struct params params = { .rq = rq, .form = slice_str("") };
	int64_t page = 1;
	const char *q = "";

	*ask = (struct search_ask) { .query = query, .limit = PER_PAGE_DEFAULT };
	if (params_str(&params, "q", &q) == -1 ||
	    params_int(&params, "per_page", 1, PER_PAGE_MAX, &ask->limit) == -1 ||
	    params_int(&params, "page", 1, PAGINATION_MAX, &page) == -1)
		return -1;
	if (search_query_check(slice_str(q), &rq->err) == -1)
		return -1;
	search_query_parse(rq->arena, slice_str(q), query);
	ask->offset = (page - 1) * ask->limit;
	return 0;
}

static void
write_hit(struct json_out *o, const struct search_hit *hit)
{
	json_out_open(o, '{');
	json_out_key_str(o, "id", hit->name);
	json_out_key_str(o, "name", hit->name);
	json_out_key_str(o, "max_version", hit->max_version);
	json_out_key_str(o, "description", hit->description);
	json_out_close(o, '}');
}

struct found {
	struct search_ask ask;
	struct search_hit *hits;
	int64_t total;
	size_t n;
};

static int
respond(struct request *rq, struct response *rs, const struct found *found)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, rq->arena, RESPONSE_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	json_out_key(&o, "crates");
	json_out_open(&o, '[');
	for (size_t i = 0; i < found->n; i++)
		write_hit(&o, &found->hits[i]);
	json_out_close(&o, ']');
	json_out_key(&o, "meta");
	json_out_open(&o, '{');
	json_out_key_int(&o, "total", found->total);
	json_out_close(&o, '}');
	json_out_close(&o, '}');
	response_body(rs, 200, "application/json", buf_slice(&b));
	return 0;
}

int
search_handle(struct call *call, struct request *rq, struct response *rs)
{
	struct search_query query;
	struct found found;
	int rc;

	if (read_ask(rq, &query, &found.ask) == -1)
		return -1;
	found.ask.project_id = call->facts.project_id;
	do
		rc = search_crates(replica_choose(&call->replica), rq->arena, &found.ask, &found.hits, &found.n,
		    &found.total, &rq->err);
	while (replica_again(&call->replica));
	if (rc == -1)
		return -1;
	call_cache_headers(call, rs, access_is_public(&call->facts));
	return respond(rq, rs, &found);
}

/* Adds the projects of these facts that the caller may search. */
static void
add_projects(const struct call *call, struct access_facts *facts, size_t nfacts, int64_t *ids, size_t *n)
{
	for (size_t i = 0; i < nfacts; i++) {
		struct err no = { 0 };

		/* what another flag has switched off stays so */
		if (!facts[i].switched_off)
			access_facts_switch(&facts[i], FLAG_SEARCH);
		if (access_decide(&facts[i], call->credential.kind, ACTION_READ_PACKAGE, &no) == 0)
			ids[(*n)++] = facts[i].project_id;
	}
}

/* The projects of the group that the caller may search, some of them perhaps twice. */
static int
find_projects(struct call *call, struct request *rq, int64_t **ids, size_t *n)
{
	struct access_facts *facts, *of_job = NULL;
	size_t nfacts, nof_job;

	if (access_facts_projects(call->app->db, rq->arena, call->facts.token_id, call->view.group_id, true, &facts,
	        &nfacts, &rq->err) == -1 ||
	    ci_login_projects(call, rq, &of_job, &nof_job) == -1)
		return -1;
	replica_outdate(&call->replica);
	*n = 0;
	*ids = arena_calloc(rq->arena, nfacts + nof_job, sizeof(**ids));
	add_projects(call, facts, nfacts, *ids, n);
	add_projects(call, of_job, nof_job, *ids, n);
	return 0;
}

int
search_handle_group(struct call *call, struct request *rq, struct response *rs)
{
	struct search_query query;
	struct found found;
	size_t nprojects;
	int64_t *projects;
	int rc;

	if (read_ask(rq, &query, &found.ask) == -1 || find_projects(call, rq, &projects, &nprojects) == -1)
		return -1;
	do
		rc = search_group(replica_choose(&call->replica), rq->arena, &found.ask, call->view.group_id, projects,
		    nprojects, &found.hits, &found.n, &found.total, &rq->err);
	while (replica_again(&call->replica));
	if (rc == -1)
		return -1;
	call_cache_headers(call, rs, false);
	return respond(rq, rs, &found);
}
