#include "api/public_want.h"

#include <string.h>

#include "store/public_dir.h"

/* Of a project that is named by its number, in a path that has one spelling. */
static bool
has_address(const struct request *rq)
{
	struct slice id = request_param(rq, "id");

	return memchr(id.p, '/', id.n) == NULL && memchr(rq->raw_path.p, '%', rq->raw_path.n) == NULL;
}

bool
public_wanted(const struct worker_app *app, const struct request *rq)
{
	return app->settings->public_dir[0] != '\0' && access_is_public(&app->facts) &&
	    app->facts.token_id == 0 && has_address(rq);
}

/* Names and versions have been checked: they fit. */
static void
want(const struct worker_app *app, const struct request *rq, struct slice name,
    struct slice version)
{
	struct public_want w = { .project_id = app->facts.project_id };

	if (!public_wanted(app, rq) || name.n >= sizeof(w.name) || version.n >= sizeof(w.version))
		return;
	memcpy(w.name, name.p, name.n);
	memcpy(w.version, version.p, version.n);
	public_dir_leave_want(app->settings->public_dir, &w);
}

void
public_want_config(const struct worker_app *app, const struct request *rq)
{
	want(app, rq, slice_of("", 0), slice_of("", 0));
}

void
public_want_index(const struct worker_app *app, const struct request *rq, struct slice name)
{
	want(app, rq, name, slice_of("", 0));
}

void
public_want_version(const struct worker_app *app, const struct request *rq, struct slice name,
    struct slice version)
{
	want(app, rq, name, version);
}
