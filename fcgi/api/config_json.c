#include "api/config_json.h"

#include <time.h>

#include "api/download.h"
#include "api/public_want.h"
#include "base/clock.h"
#include "crate/registry_config.h"
#include "store/access_generation.h"

enum {
	SECOND = 1000000, /* microseconds */
	HOUR = 3600,
	SIGNED_FOR = 24 * HOUR /* a right that is taken away does not last so long: the generation ends */
};

/* All that it says is known with the decision. */
static int
config_json_read(struct request *rq, int64_t project_id, const char *generation, struct db_call *call)
{
	(void)rq;
	(void)project_id;
	access_unchanged_call(call, generation);
	return 0;
}

const struct route_need config_json_need = { .action = ACTION_READ_PACKAGE,
	.flag = FLAG_CARGO, .read = config_json_read };

/* The second in which downloads are to be asked about again; 0: each of them. */
static int64_t
signed_until(const struct worker_app *app)
{
	int64_t now = time(NULL), left;
	/* the same bytes for an hour */
	int64_t until = (now + SIGNED_FOR) / HOUR * HOUR;

	if (app->until.us == 0)
		return until;
	/* nginx takes the second named for one of them */
	left = (app->until.us - clock_us()) / SECOND - 1;
	if (left <= 0)
		return 0;
	return now + left < until ? now + left : until;
}

/* NULL: each download is asked about. */
static const char *
download_query(const struct worker_app *app, const struct request *rq)
{
	struct signed_download d = {
		.project_id = app->facts.project_id,
		.generation = app->until.generation,
		.authorization = request_header(rq, "HTTP_AUTHORIZATION"),
	};

	if (!public_signs(app) || d.authorization == NULL || (d.until = signed_until(app)) == 0)
		return NULL;
	d.who = download_who(rq->arena, &app->facts);
	return signed_download_query(rq->arena, &app->download_key, &d);
}

int
config_json_handle(struct worker_app *app, struct request *rq, struct response *rs)
{
	struct slice body = registry_config(rq->arena, app->settings->external_url,
	    app->facts.project_id, download_query(app, rq), !access_is_public(&app->facts));

	public_want_config(app, rq);
	app_cache_headers(app, rs);
	response_body(rs, 200, "application/json", body);
	return 0;
}
