#include "api/cargo/yank.h"

#include "auth/rate_limit.h"
#include "call/params.h"
#include "crate/crate_name.h"
#include "crate/semver.h"
#include "store/package/version.h"

const struct route_policy yank_policy = { .action = ACTION_YANK_PACKAGE,
	.flag = FLAG_CARGO };

/* {"message":"..."}, which cargo does not send; an empty one is none. */
static int
read_message(struct request *rq, const char **message)
{
	struct params params;

	if (params_read(rq, &params) == -1 || params_str(&params, "message", message) == -1)
		return -1;
	if (*message != NULL && (*message)[0] == '\0')
		*message = NULL;
	return 0;
}

static int
set_yanked(struct call *call, struct request *rq, struct response *rs, bool yanked)
{
	struct slice name = request_param(rq, "crate"), text = request_param(rq, "version");
	struct version_yank yank = {
		.actor = call_actor(call, rq),
		.push_level = access_push_level(&call->facts),
		.crate_user = access_crate_user(&call->facts),
		.limits = call->facts.limits,
		.project_id = call->facts.project_id,
		.name = arena_slicedup(rq->arena, name),
		.yanked = yanked,
	};
	struct semver version;
	struct err wrong;

	if (crate_name_check(name, "crate", &wrong) == -1)
		return err_set(&rq->err, 404, "crate `%s` does not exist", yank.name);
	if (semver_parse(text, &version, &wrong) == -1)
		return err_set(&rq->err, 404, "crate `%s` does not have a version `%.*s`", yank.name,
		    (int)text.n, text.p);
	yank.version_base = semver_base(rq->arena, &version);
	if (yanked && read_message(rq, &yank.message) == -1)
		return -1;
	if (rate_limit_charge_yank(call, rq) == -1 ||
	    version_set_yanked(call->app->db, rq->arena, &yank, &rq->err) == -1)
		return -1;
	return app_respond_ok(rs);
}

int
yank_handle(struct call *call, struct request *rq, struct response *rs)
{
	return set_yanked(call, rq, rs, true);
}

int
yank_handle_undo(struct call *call, struct request *rq, struct response *rs)
{
	return set_yanked(call, rq, rs, false);
}
