#include "api/public_want.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/public_dir.h"

enum { STEADY_US = 1000000 };

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

bool
public_signs(const struct worker_app *app)
{
	return app->settings->public_dir[0] != '\0' && app->download_key.text[0] != '\0' &&
	    app->facts.token_id != 0 && app->until.generation != NULL;
}

/*
 * Where rights change all the time, what is kept for one generation is thrown away before it has
 * served: that of a generation which has just begun is not worth the keeper's work.
 */
static bool
is_steady(const struct worker_app *app)
{
	return app->until.generation != NULL && clock_us() - app->seen.since_us >= STEADY_US;
}

/* Names and versions have been checked: they fit. */
static void
leave_word(const struct worker_app *app, struct slice name, struct slice version,
    const char *generation)
{
	struct public_want w = { .project_id = app->facts.project_id };

	if (name.n >= sizeof(w.name) || version.n >= sizeof(w.version))
		return;
	memcpy(w.name, name.p, name.n);
	memcpy(w.version, version.p, version.n);
	snprintf(w.generation, sizeof(w.generation), "%s", generation);
	public_dir_leave_want(app->settings->public_dir, &w);
}

static void
want(const struct worker_app *app, const struct request *rq, struct slice name,
    struct slice version)
{
	if (public_wanted(app, rq))
		leave_word(app, name, version, "");
}

/* Was the address signed in the generation that is? */
static bool
is_signed(const struct worker_app *app, struct request *rq)
{
	const char *generation = NULL;

	if (request_query(rq, "g", &generation) == -1)
		err_clear(&rq->err);
	return generation != NULL && strcmp(generation, app->until.generation) == 0;
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
public_want_kept(const struct worker_app *app, struct slice name)
{
	if (app->settings->public_dir[0] != '\0' && app->facts.token_id != 0 && is_steady(app))
		leave_word(app, name, slice_of("", 0), app->until.generation);
}

void
public_want_version(const struct worker_app *app, struct request *rq, struct slice name,
    struct slice version)
{
	want(app, rq, name, version);
	if (public_signs(app) && is_steady(app) && has_address(rq) && is_signed(app, rq))
		leave_word(app, name, version, app->until.generation);
}
