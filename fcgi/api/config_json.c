#include "api/config_json.h"

#include "api/public_want.h"
#include "crate/registry_config.h"
#include "store/access_generation.h"

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

int
config_json_handle(struct worker_app *app, struct request *rq, struct response *rs)
{
	struct slice body = registry_config(rq->arena, app->settings->external_url,
	    app->facts.project_id, !access_is_public(&app->facts));

	public_want_config(app, rq);
	app_cache_headers(app, rs);
	response_body(rs, 200, "application/json", body);
	return 0;
}
