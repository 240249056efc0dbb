#include "api/package.h"

#include <string.h>

#include "api/package_out.h"
#include "api/page.h"
#include "api/params.h"
#include "base/buf.h"

enum { ANSWER_MAX = 1 << 20 };

const struct route_need package_need = { .action = ACTION_READ_PACKAGE };

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
audience(const struct worker_app *app)
{
	return (struct package_audience) { app->settings->external_url,
		app_may(&app->facts, ACTION_DELETE_PACKAGE), false };
}

static int
respond(struct request *rq, struct response *rs, const struct buf *b)
{
	if (buf_full(b))
		return err_internal(&rq->err, 500, "what is told of a package is longer than %d "
		    "bytes", ANSWER_MAX);
	return app_respond_json(rs, 200, buf_slice(b));
}

static int
respond_package(struct worker_app *app, struct request *rq, struct response *rs,
    const struct package_entry *e, const struct package_entry *versions, size_t nversions)
{
	struct package_audience who = audience(app);
	struct json_out o;
	struct buf b;

	buf_init(&b, rq->arena, ANSWER_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	package_out_members(&o, e, &who);
	json_out_key(&o, "versions");
	json_out_open(&o, '[');
	for (size_t i = 0; i < nversions; i++)
		package_out_version(&o, &versions[i]);
	json_out_close(&o, ']');
	json_out_close(&o, '}');
	return respond(rq, rs, &b);
}

int
package_show(struct worker_app *app, struct request *rq, struct response *rs)
{
	struct package_entry *e, *versions;
	size_t nversions;
	int64_t id;

	if (params_path_id(rq, "package_id", &id) == -1 ||
	    package_find_with_versions(app->db, rq->arena, app->facts.project_id, id, &e, &versions,
	        &nversions, &rq->err) == -1)
		return -1;
	if (!is_shown(e))
		return not_found(rq);
	return respond_package(app, rq, rs, e, versions, nversions);
}

/* The package of the path, where it is one that is listed. */
static int
find_listed(struct worker_app *app, struct request *rq, struct package_entry **e)
{
	int64_t id;

	if (params_path_id(rq, "package_id", &id) == -1 ||
	    package_find(app->db, rq->arena, app->facts.project_id, id, e, &rq->err) == -1)
		return -1;
	return is_listed(*e) ? 0 : not_found(rq);
}

int
package_files(struct worker_app *app, struct request *rq, struct response *rs)
{
	static const char *const orders[] = { "id", "created_at", "file_name" };
	static const char *const directions[] = { "asc", "desc" };
	struct package_entry *e;
	struct params params;
	struct json_out o;
	struct page page;
	size_t word = 0;
	struct buf b;

	if (params_read(rq, &params) == -1 ||
	    params_word(&params, "order_by", orders, 3, &word) == -1 ||
	    params_word(&params, "sort", directions, 2, &word) == -1 ||
	    page_read(&params, &page) == -1 || find_listed(app, rq, &e) == -1)
		return -1;
	buf_init(&b, rq->arena, ANSWER_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '[');
	if (page.number == 1)
		package_out_file(&o, e);
	json_out_close(&o, ']');
	page_headers(app, rq, rs, &page, 1);
	return respond(rq, rs, &b);
}

/* Newest first, going on below the id of `cursor`: a package has one pipeline at most. */
int
package_pipelines(struct worker_app *app, struct request *rq, struct response *rs)
{
	struct package_entry *e;
	struct params params;
	int64_t before = INT64_MAX;
	struct json_out o;
	struct page page;
	struct buf b;

	if (params_read(rq, &params) == -1 || page_read(&params, &page) == -1 ||
	    params_int(&params, "cursor", 1, INT64_MAX, &before) == -1 ||
	    find_listed(app, rq, &e) == -1)
		return -1;
	if (e->pipeline.id >= before)
		e->pipeline.id = 0;
	buf_init(&b, rq->arena, ANSWER_MAX);
	json_out_init(&o, &b);
	package_out_pipelines(&o, e);
	return respond(rq, rs, &b);
}
