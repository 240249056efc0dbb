#include "api/places.h"

#include <inttypes.h>
#include <string.h>

#include "api/answer.h"
#include "api/params.h"
#include "api/place_out.h"
#include "store/project_page.h"

const struct route_need places_project_need = { .action = ACTION_READ_PLACE };
const struct route_need places_group_need = { .action = ACTION_READ_PLACE,
	.subject = SUBJECT_GROUP };
const struct route_need places_user_need = { .action = ACTION_READ_ACCOUNT,
	.subject = SUBJECT_CALLER };
const struct route_need places_projects_need = { .action = ACTION_READ_ACCOUNT,
	.subject = SUBJECT_CALLER };
const struct route_need places_version_need = { .action = ACTION_READ_TOKEN,
	.subject = SUBJECT_CALLER };

/* The level that a user has of their own; null for nobody and for administrators as such. */
static void
put_permissions(struct json_out *o, const struct access_facts *facts)
{
	json_out_key(o, "permissions");
	json_out_open(o, '{');
	json_out_key(o, "project_access");
	if (facts->access_level == 0) {
		json_out_null(o);
	} else {
		json_out_open(o, '{');
		json_out_key_int(o, "access_level", facts->access_level);
		json_out_close(o, '}');
	}
	json_out_key(o, "group_access");
	json_out_null(o);
	json_out_close(o, '}');
}

int
places_project(struct call *call, struct request *rq, struct response *rs)
{
	struct project_entry *p;
	struct answer an;
	size_t n;

	if (project_entries(call->app->db, rq->arena, &call->facts.project_id, 1, &p, &n,
	        &rq->err) == -1)
		return -1;
	if (n == 0)
		return err_set(&rq->err, 404, "Project Not Found");
	answer_init(&an, rq);
	json_out_open(&an.o, '{');
	place_out_project(&an.o, p, call->app->settings->external_url);
	put_permissions(&an.o, &call->facts);
	json_out_close(&an.o, '}');
	return answer_send(&an, rq, rs, 200);
}

int
places_group(struct call *call, struct request *rq, struct response *rs)
{
	struct group_entry *g;
	struct answer an;
	size_t n;

	if (group_entries(call->app->db, rq->arena, &call->facts.group_id, 1, &g, &n,
	        &rq->err) == -1)
		return -1;
	if (n == 0)
		return err_set(&rq->err, 404, "Group Not Found");
	answer_init(&an, rq);
	json_out_open(&an.o, '{');
	place_out_group(&an.o, g, call->app->settings->external_url);
	json_out_key_str(&an.o, "visibility", call->facts.visibility);
	json_out_close(&an.o, '}');
	return answer_send(&an, rq, rs, 200);
}

struct query {
	struct project_choice choice;
	struct page page;
};

static int
read_query(struct params *p, struct query *q)
{
	static const char *const visibilities[] = { "private", "internal", "public" };
	static const char *const directions[] = { "asc", "desc" };
	size_t visibility = 3, direction = 0;

	if (params_str(p, "search", &q->choice.part) == -1 ||
	    params_word(p, "visibility", visibilities, 3, &visibility) == -1 ||
	    params_word(p, "sort", directions, 2, &direction) == -1 ||
	    params_int(p, "min_access_level", LEVEL_NONE, LEVEL_ADMIN, &q->choice.least) == -1 ||
	    page_read(p, &q->page) == -1)
		return -1;
	q->choice.visibility = visibility < 3 ? visibilities[visibility] : NULL;
	q->choice.descending = direction == 1;
	q->choice.limit = q->page.size;
	q->choice.offset = page_offset(&q->page);
	return 0;
}

/*
 * Keeps the places of the page that the one decision lets the caller see, since the statement
 * decides nothing.
 */
static int
confirm(struct call *call, struct request *rq, struct project_page *page)
{
	struct access_facts *facts;
	size_t nfacts, n = 0;

	if (access_facts_listed(call->app->db, rq->arena, call->facts.token_id, page->ids, page->n,
	        &facts, &nfacts, &rq->err) == -1)
		return -1;
	for (size_t i = 0; i < nfacts; i++) {
		if (app_may(&facts[i], ACTION_READ_PLACE))
			page->ids[n++] = facts[i].project_id;
	}
	page->n = n;
	return 0;
}

static int
respond_projects(struct call *call, struct request *rq, struct response *rs,
    struct params *params, struct project_choice choice)
{
	struct query q = { .choice = choice };
	struct project_page page;
	struct project_entry *p;
	struct answer an;
	size_t found, n;

	if (read_query(params, &q) == -1 ||
	    project_page_read(call->app->db, rq->arena, call->facts.token_id, &q.choice, &page,
	        &rq->err) == -1)
		return -1;
	found = page.n;
	if (confirm(call, rq, &page) == -1 ||
	    project_entries(call->app->db, rq->arena, page.ids, page.n, &p, &n, &rq->err) == -1)
		return -1;
	answer_list_begin(&an, rq);
	for (size_t i = 0; i < n; i++) {
		json_out_open(&an.o, '{');
		place_out_project(&an.o, &p[i], call->app->settings->external_url);
		json_out_close(&an.o, '}');
	}
	if (page.total <= PROJECTS_COUNTED_MAX)
		return answer_list_end(&an, call->app, rq, rs, &q.page, (size_t)page.total);
	json_out_close(&an.o, ']');
	page_headers_uncounted(call->app, rq, rs, &q.page, found);
	return answer_send(&an, rq, rs, 200);
}

int
places_projects(struct call *call, struct request *rq, struct response *rs)
{
	struct params params;

	if (params_read(rq, &params) == -1)
		return -1;
	return respond_projects(call, rq, rs, &params, (struct project_choice) { .below = true });
}

int
places_group_projects(struct call *call, struct request *rq, struct response *rs)
{
	struct params params;
	struct project_choice choice = { .group_id = call->facts.group_id };

	if (params_read(rq, &params) == -1 ||
	    params_bool(&params, "include_subgroups", &choice.below) == -1)
		return -1;
	return respond_projects(call, rq, rs, &params, choice);
}

int
places_user(struct call *call, struct request *rq, struct response *rs)
{
	struct json_out *o;
	struct user_entry u;
	struct answer an;

	if (user_entry(call->app->db, rq->arena, call->facts.user_id, &u, &rq->err) == -1)
		return -1;
	answer_init(&an, rq);
	o = &an.o;
	json_out_open(o, '{');
	json_out_key_int(o, "id", u.id);
	json_out_key_str(o, "username", u.username);
	json_out_key_str(o, "name", u.name);
	json_out_key_str(o, "state", u.state);
	json_out_key_str(o, "avatar_url", NULL);
	json_out_key_str(o, "email", u.email);
	json_out_key_str(o, "created_at", u.created_at);
	json_out_key_bool(o, "is_admin", u.admin);
	json_out_close(o, '}');
	return answer_send(&an, rq, rs, 200);
}

int
places_version(struct call *call, struct request *rq, struct response *rs)
{
	struct answer an;

	(void)call;
	answer_init(&an, rq);
	json_out_open(&an.o, '{');
	json_out_key_str(&an.o, "version", BERTH_VERSION);
	/* what a client may compare; this server is told by its version alone */
	json_out_key_str(&an.o, "revision", BERTH_VERSION);
	json_out_key_bool(&an.o, "enterprise", false);
	json_out_close(&an.o, '}');
	return answer_send(&an, rq, rs, 200);
}
