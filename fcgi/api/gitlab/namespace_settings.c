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
		if (params_gives(p, names[i]))
			return err_set(&p->rq->err, 400, "%s cannot be changed here; leave it out, and ask an "
			    "administrator, who can use berth(1)", names[i]);
	}
	return 0;
}

/* Reads a list into one text with blanks between; leaves *list as it is if there is none. */
static int
read_list(struct params *p, const char *name, const char **list)
{
	const char *const *words = NULL;
	struct buf b;
	size_t n = 0;

	if (params_list(p, name, &words, &n) == -1)
		return -1;
	if (words == NULL)
		return 0;
	buf_init(&b, p->rq->arena, PARAMS_BODY_MAX);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, " %s", words[i]);
	*list = buf_str(&b);
	return 0;
}

/* Reads the networks; leaves *networks as it is if there are none. */
static int
read_networks(struct params *p, const char **networks)
{
	const char *list = NULL;

	if (params_read(p->rq, p) == -1 || refuse_others(p) == -1 ||
	    read_list(p, "anonymous_networks", &list) == -1)
		return -1;
	return list == NULL ? 0 : networks_parse(p->rq->arena, list, networks, &p->rq->err);
}

static int
refuse_nothing(struct err *err, const char *others)
{
	return err_set(err, 400, "anonymous_networks is missing%s; give a list of networks, empty for none", others);
}

int
namespace_settings_change_project(struct call *call, struct request *rq, struct response *rs)
{
	struct audit_actor actor = call_actor(call, rq);
	struct project_change change = { 0 };
	struct params params = { .rq = rq };
	bool images = false;
	int64_t id;

	if (read_networks(&params, &change.anonymous_networks) == -1 ||
	    params_bool_given(&params, "readme_images", &images, &change.readme_images) == -1)
		return -1;
	if (change.anonymous_networks == NULL && change.readme_images == NULL)
		return refuse_nothing(&rq->err, ", and so is readme_images");
	if (project_set(call->app->db, rq->arena, &actor, call->facts.full_path, &change, &id,
	        &rq->err) == -1)
		return -1;
	return namespaces_project(call, rq, rs);
}

int
namespace_settings_change_group(struct call *call, struct request *rq, struct response *rs)
{
	struct audit_actor actor = call_actor(call, rq);
	struct group_change change = { 0 };
	struct params params = { .rq = rq };

	if (read_networks(&params, &change.anonymous_networks) == -1 ||
	    read_list(&params, "registry_projects", &change.registry_projects) == -1 ||
	    params_str(&params, "default_project", &change.default_project) == -1)
		return -1;
	if (change.anonymous_networks == NULL && change.registry_projects == NULL && change.default_project == NULL)
		return refuse_nothing(&rq->err, ", and so are registry_projects and default_project");
	if (group_set(call->app->db, rq->arena, &actor, call->facts.full_path, &change, &rq->err) == -1)
		return -1;
	return namespaces_group(call, rq, rs);
}
