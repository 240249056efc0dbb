#include "api/gitlab/package.h"

#include <string.h>

#include "api/gitlab/package_json.h"
#include "call/json_response.h"
#include "call/params.h"
#include "store/package/version_delete.h"
#include "store/package/version_status.h"

const struct route_policy package_policy = { .action = ACTION_READ_PACKAGE,
	.flag = FLAG_PACKAGES_API };
const struct route_policy package_change_policy = { .action = ACTION_DELETE_PACKAGE,
	.flag = FLAG_PACKAGES_API };

static bool
is_shown(const struct package_entry *e)
{
	return strcmp(e->status, "default") == 0 || strcmp(e->status, "deprecated") == 0;
}

static bool
is_listed(const struct package_entry *e)
{
	return is_shown(e) || strcmp(e->status, "error") == 0;
}

static int
not_found(struct request *rq)
{
	return err_set(&rq->err, 404, "Package Not Found");
}

static struct package_audience
audience(const struct call *call)
{
	return (struct package_audience) { call->app->settings->external_url,
		app_may(&call->facts, ACTION_DELETE_PACKAGE),
		app_may(&call->facts, ACTION_READ_PIPELINES), false };
}

static int
respond_package(struct call *call, struct request *rq, struct response *rs,
    const struct package_entry *e, const struct package_entry *versions, size_t nversions)
{
	struct package_audience who = audience(call);
	struct json_response json;

	json_response_init(&json, rq);
	json_out_open(&json.o, '{');
	package_json_members(&json.o, e, &who);
	json_out_key(&json.o, "versions");
	json_out_open(&json.o, '[');
	for (size_t i = 0; i < nversions; i++)
		package_json_version(&json.o, &versions[i], &who);
	json_out_close(&json.o, ']');
	json_out_close(&json.o, '}');
	return json_response_send(&json, rq, rs, 200);
}

int
package_show(struct call *call, struct request *rq, struct response *rs)
{
	struct package_entry *e, *versions;
	size_t nversions;
	int64_t id;

	if (params_path_id(rq, "package_id", &id) == -1 ||
	    package_find_with_versions(call->app->db, rq->arena, call->facts.project_id, id, &e,
	        &versions, &nversions, &rq->err) == -1)
		return -1;
	if (!is_shown(e))
		return not_found(rq);
	return respond_package(call, rq, rs, e, versions, nversions);
}

/* The package of the path, where it is one that is listed. */
static int
find_listed(struct call *call, struct request *rq, struct package_entry **e)
{
	int64_t id;

	if (params_path_id(rq, "package_id", &id) == -1 ||
	    package_find(call->app->db, rq->arena, call->facts.project_id, id, e, &rq->err) == -1)
		return -1;
	return is_listed(*e) ? 0 : not_found(rq);
}

int
package_files(struct call *call, struct request *rq, struct response *rs)
{
	static const char *const orders[] = { "id", "created_at", "file_name" };
	static const char *const directions[] = { "asc", "desc" };
	const struct package_audience who = audience(call);
	struct package_entry *e;
	struct params params;
	struct json_response json;
	struct pagination page;
	size_t word = 0;

	if (params_read(rq, &params) == -1 ||
	    params_word(&params, "order_by", orders, 3, &word) == -1 ||
	    params_word(&params, "sort", directions, 2, &word) == -1 ||
	    pagination_read(&params, &page) == -1 || find_listed(call, rq, &e) == -1)
		return -1;
	json_response_init(&json, rq);
	json_out_open(&json.o, '[');
	if (page.number == 1)
		package_json_file(&json.o, e, &who);
	json_out_close(&json.o, ']');
	pagination_headers(call->app, rq, rs, &page, 1);
	return json_response_send(&json, rq, rs, 200);
}

/* Newest first, going on below the id of `cursor`: a package has one pipeline at most. */
int
package_pipelines(struct call *call, struct request *rq, struct response *rs)
{
	const struct package_audience who = audience(call);
	struct package_entry *e;
	struct params params;
	int64_t before = INT64_MAX;
	struct json_response json;
	struct pagination page;

	if (params_read(rq, &params) == -1 || pagination_read(&params, &page) == -1 ||
	    params_int(&params, "cursor", 1, INT64_MAX, &before) == -1 ||
	    find_listed(call, rq, &e) == -1)
		return -1;
	if (e->pipeline.id >= before)
		e->pipeline.id = 0;
	json_response_init(&json, rq);
	package_json_pipelines(&json.o, e, &who);
	return json_response_send(&json, rq, rs, 200);
}

static struct version_change
change_of(const struct call *call, const struct request *rq, int64_t id)
{
	return (struct version_change) {
		.actor = call_actor(call, rq),
		.delete_level = access_push_level(&call->facts),
		.limits = call->facts.limits,
		.project_id = call->facts.project_id,
		.version_id = id,
	};
}

int
package_set_status(struct call *call, struct request *rq, struct response *rs)
{
	static const char *const statuses[] = { "default", "hidden", "deprecated", "error" };
	struct version_change change;
	struct package_entry *e, *versions;
	size_t status = 0, nversions;
	struct params params;
	const char *word, *message = NULL;
	int64_t id;

	if (params_path_id(rq, "package_id", &id) == -1 ||
	    params_read(rq, &params) == -1 || params_required(&params, "status", &word) == -1 ||
	    params_word(&params, "status", statuses, 4, &status) == -1 ||
	    params_str(&params, "status_message", &message) == -1)
		return -1;
	change = change_of(call, rq, id);
	if (version_set_status(call->app->db, rq->arena, &change, statuses[status], message,
	        &rq->err) == -1 ||
	    package_find_with_versions(call->app->db, rq->arena, call->facts.project_id, id, &e,
	        &versions, &nversions, &rq->err) == -1)
		return -1;
	return respond_package(call, rq, rs, e, versions, nversions);
}

static int
delete_version(struct call *call, struct request *rq, struct response *rs, int64_t id)
{
	const struct version_change change = change_of(call, rq, id);

	if (version_delete(call->app->db, rq->arena, &change, &rq->err) == -1)
		return -1;
	return json_response_empty(rs);
}

int
package_delete(struct call *call, struct request *rq, struct response *rs)
{
	int64_t id;

	if (params_path_id(rq, "package_id", &id) == -1)
		return -1;
	return delete_version(call, rq, rs, id);
}

int
package_delete_file(struct call *call, struct request *rq, struct response *rs)
{
	struct package_entry *e;
	int64_t id;

	if (params_path_id(rq, "file_id", &id) == -1 || find_listed(call, rq, &e) == -1)
		return -1;
	if (id != e->id)
		return err_set(&rq->err, 404, "Package File Not Found");
	return delete_version(call, rq, rs, id);
}
