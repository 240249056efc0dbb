#include "api/config_json.h"

#include "base/buf.h"
#include "base/json.h"
#include "store/access_generation.h"

enum { CONFIG_JSON_MAX = 4096 };

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
	const char *root = app_registry_url(app, rq->arena);
	struct json_out o;
	struct buf b;

	buf_init(&b, rq->arena, CONFIG_JSON_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	json_out_key(&o, "dl");
	json_out_str(&o, root);
	json_out_key(&o, "api");
	json_out_str(&o, root);
	json_out_key(&o, "auth-required");
	json_out_bool(&o, !access_is_public(&app->facts));
	json_out_close(&o, '}');
	app_cache_headers(app, rs);
	response_body(rs, 200, "application/json", buf_slice(&b));
	return 0;
}
