#include "api/gitlab/namespace_settings.h"

#include "access/networks.h"
#include "api/gitlab/namespaces.h"
#include "base/buf.h"
#include "call/params.h"
#include "store/group.h"
#include "store/project.h"

const struct route_policy namespace_settings_project_policy = { .action = ACTION_CHANGE_NETWORKS,
	.flag = FLAG_SETTINGS_API };
const struct route_policy namespace_settings_group_policy = { .action = ACTION_CHANGE_NETWORKS,
	.flag = FLAG_SETTINGS_API, .namespace_kind = NAMESPACE_GROUP };

/* What GitLab changes with the same call: nobody is to believe that a project is private now. */
static int
refuse_others(struct params *p)
{
	static const char *const names[] = { "visibility", "packages_enabled",
		"package_registry_access_level", "name", "path", "description" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (params_has(p, names[i]))
			return err_set(&p->rq->err, 400, "%s cannot be changed here; leave it out, and ask an "
			    "administrator, who can use berth(1)", names[i]);
	}
	return 0;
}

static int
read_networks(struct request *rq, const char **networks)
{
	const char *const *words = NULL;
	struct params params;
	struct buf b;
	size_t n = 0;

	if (params_read(rq, &params) == -1 || refuse_others(&params) == -1 ||
	    params_list(&params, "anonymous_networks", &words, &n) == -1)
		return -1;
	if (words == NULL)
		return err_set(&rq->err, 400, "anonymous_networks is missing; give a list of networks, empty for none");
	buf_init(&b, rq->arena, PARAMS_BODY_MAX);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, " %s", words[i]);
	return networks_parse(rq->arena, buf_str(&b), networks, &rq->err);
}

int
namespace_settings_change_project(struct call *call, struct request *rq, struct response *rs)
{
	struct audit_actor actor = call_actor(call, rq);
	struct project_change change = { 0 };
	int64_t id;

	if (read_networks(rq, &change.anonymous_networks) == -1 ||
	    project_set(call->app->db, rq->arena, &actor, call->facts.full_path, &change, &id,
	        &rq->err) == -1)
		return -1;
	return namespaces_project(call, rq, rs);
}

int
namespace_settings_change_group(struct call *call, struct request *rq, struct response *rs)
{
	struct audit_actor actor = call_actor(call, rq);
	const char *networks = NULL;

	if (read_networks(rq, &networks) == -1 ||
	    group_set(call->app->db, rq->arena, &actor, call->facts.full_path, networks,
	        &rq->err) == -1)
		return -1;
	return namespaces_group(call, rq, rs);
}
