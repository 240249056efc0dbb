#include "api/cargo/publish_registries.h"

#include <strings.h>

#include "base/excerpt.h"
#include "crate/crate_name.h"
#include "crate/registry_url.h"
#include "store/package/view.h"

/* The registry of a dependency.  at: its position in the list, for a project by path. */
struct dependency_registry {
	struct registry_url url;
	size_t at;
};

/* Paths are compared whatever their case, as the database does it. */
static int
paths_add(struct registry_paths *paths, const char *path, size_t *at, struct err *err)
{
	for (*at = 0; *at < paths->n; ++*at) {
		if (strcasecmp(paths->paths[*at], path) == 0)
			return 0;
	}
	if (paths->n == PUBLISH_REGISTRIES_MAX)
		return err_set(err, 400,
		    "the dependencies name more than %d projects of this server by path; use their ids",
		    PUBLISH_REGISTRIES_MAX);
	paths->paths[paths->n++] = path;
	return 0;
}

static int
read_registry(const struct call *call, struct request *rq, struct registry_paths *paths,
    const struct dependency *d, struct dependency_registry *registry)
{
	struct err reason = { 0 };

	if (d->registry == NULL) {
		registry->url = (struct registry_url) { .kind = REGISTRY_GROUP, .group_id = call->view.group_id };
		return 0;
	}
	if (registry_url_read(rq->arena, call->app->settings->external_url, d->registry, &registry->url,
	        &reason) == -1)
		return err_set(&rq->err, 400, "dependency `%.*s`: %s", excerpt(slice_str(d->name)),
		    d->name, reason.pub);
	if (registry->url.path == NULL || registry->url.kind == REGISTRY_GROUP)
		return 0;
	if (strcasecmp(registry->url.path, call->facts.full_path) == 0) {
		registry->url.project_id = call->facts.project_id;
		return 0;
	}
	return paths_add(paths, registry->url.path, &registry->at, &rq->err);
}

/* Asks for all new paths at once; a project that the caller may not read is none. */
static int
paths_look_up(const struct call *call, struct request *rq, struct registry_paths *paths)
{
	struct db_call calls[PUBLISH_REGISTRIES_MAX] = { 0 };
	size_t n = paths->n - paths->known;

	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct namespace_ref project = { .path = slice_str(paths->paths[paths->known + i]) };

		access_facts_call(&calls[i], rq->arena, NAMESPACE_PROJECT, call_digest(call), &project);
	}
	if (db_run(call->app->db, rq->arena, calls, n, &rq->err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct access_facts facts;
		struct err no = { 0 };

		access_facts_read(&calls[i], NAMESPACE_PROJECT, &facts);
		if (access_decide(&facts, call->credential.kind, ACTION_READ_PACKAGE, &no) == 0)
			paths->ids[paths->known + i] = facts.project_id;
	}
	paths->known = paths->n;
	return 0;
}

static int
name_one(const struct call *call, struct request *rq, const struct registry_paths *paths,
    const struct dependency_registry *registry, struct dependency *d)
{
	int64_t id = registry->url.project_id;

	if (registry->url.kind == REGISTRY_PUBLIC)
		d->registry = REGISTRY_PUBLIC_URL;
	if (registry->url.kind != REGISTRY_HERE)
		return 0;
	if (id == 0)
		id = paths->ids[registry->at];
	if (id == 0)
		return err_set(&rq->err, 400,
		    "dependency `%.*s`: there is no project `%.*s` here that you may read; if the path is "
		    "right, use the project's id instead",
		    excerpt(slice_str(d->name)), d->name, excerpt(slice_str(registry->url.path)),
		    registry->url.path);
	d->registry = registry_url_index(rq->arena, call->app->settings->external_url, id);
	return 0;
}

/* ---- registries of groups ---- */

/* Dependencies of one package that name the registry of one group. */
struct group_deps {
	struct package *pkg;
	struct namespace_ref group;
	size_t *at; /* their indexes in the package */
	const char **names; /* in normal form */
	size_t n;
	struct view_name *owners;
};

static bool
same_group(const struct registry_url *a, const struct registry_url *b)
{
	if (a->path == NULL || b->path == NULL)
		return a->group_id == b->group_id;
	return strcasecmp(a->path, b->path) == 0;
}

/* Collects the dependencies from the i-th on that name its group. */
static struct group_deps
group_deps_of(struct arena *a, struct package *pkg, struct dependency_registry *registries, size_t i)
{
	const struct registry_url url = registries[i].url;
	struct group_deps g = { .pkg = pkg, .group = { .id = url.group_id },
		.at = arena_calloc(a, pkg->ndeps, sizeof(*g.at)),
		.names = arena_calloc(a, pkg->ndeps, sizeof(*g.names)),
		.owners = arena_calloc(a, pkg->ndeps, sizeof(*g.owners)) };

	if (url.path != NULL)
		g.group.path = slice_str(url.path);
	for (; i < pkg->ndeps; i++) {
		struct slice name = slice_str(pkg->deps[i].name);
		struct err wrong;

		if (registries[i].url.kind != REGISTRY_GROUP || !same_group(&url, &registries[i].url))
			continue;
		registries[i].url.kind = REGISTRY_ELSEWHERE; /* it is handled */
		/* package_check() refuses the name */
		if (crate_name_check(name, "dependency", &wrong) == -1)
			continue;
		g.at[g.n] = i;
		g.names[g.n++] = crate_name_normalize(a, name);
	}
	return g;
}

/* Treats projects that the caller may not read as if they had no crates. */
static int
hide_unreadable(const struct call *call, struct request *rq, struct group_deps *g)
{
	int64_t *ids = arena_calloc(rq->arena, g->n, sizeof(*ids));
	struct access_facts *facts;
	size_t nfacts;

	for (size_t i = 0; i < g->n; i++)
		ids[i] = g->owners[i].project_id;
	if (access_facts_listed(call->app->db, rq->arena, call->facts.token_id, NAMESPACE_PROJECT, ids, g->n, &facts,
	        &nfacts, &rq->err) == -1)
		return -1;
	for (size_t i = 0, k = 0; i < g->n; i++) {
		struct err no = { 0 };

		/* the facts are those of the existing projects, in the order of the ids */
		if (k == nfacts || facts[k].project_id != ids[i]) {
			g->owners[i].project_id = 0;
			continue;
		}
		access_facts_switch(&facts[k], FLAG_CARGO);
		if (access_decide(&facts[k++], call->credential.kind, ACTION_READ_PACKAGE, &no) == -1)
			g->owners[i].project_id = 0;
	}
	return 0;
}

/* Names the project of one dependency.  A dependency on the crate itself is one on its new project. */
static int
name_in_group(const struct call *call, struct request *rq, const struct group_deps *g, size_t i)
{
	struct dependency *d = &g->pkg->deps[g->at[i]];
	struct view_name owner = g->owners[i];

	if (owner.project_id == 0 && crate_name_equal(slice_str(d->name), slice_str(g->pkg->name)))
		owner = (struct view_name) { call->facts.project_id, d->name, false };
	if (owner.project_id == 0)
		return err_set(&rq->err, 400, "dependency `%.*s`: no crate of that name that you may read is in the "
		    "registry of the group; if it comes from the public registry, send \"registry\": \""
		    REGISTRY_PUBLIC_URL "\" with that dependency", excerpt(slice_str(d->name)), d->name);
	if (strcmp(owner.crate, d->name) != 0)
		return err_set(&rq->err, 400, "dependency `%.*s`: the registry of the group has that crate as `%s`",
		    excerpt(slice_str(d->name)), d->name, owner.crate);
	d->registry = registry_url_index(rq->arena, call->app->settings->external_url, owner.project_id);
	return 0;
}

/* Gives dependencies on registries of groups the projects that have their names there. */
static int
name_in_groups(const struct call *call, struct request *rq, struct package *pkg,
    struct dependency_registry *registries)
{
	for (size_t i = 0; i < pkg->ndeps; i++) {
		struct group_deps g;

		if (registries[i].url.kind != REGISTRY_GROUP)
			continue;
		g = group_deps_of(rq->arena, pkg, registries, i);
		if (view_names(call->app->db, rq->arena, &g.group, g.names, g.n, g.owners, &rq->err) == -1 ||
		    hide_unreadable(call, rq, &g) == -1)
			return -1;
		for (size_t k = 0; k < g.n; k++) {
			if (name_in_group(call, rq, &g, k) == -1)
				return -1;
		}
	}
	return 0;
}

int
publish_registries_name(struct call *call, struct request *rq, struct registry_paths *paths,
    struct package *pkg)
{
	struct dependency_registry *registries = arena_calloc(rq->arena, pkg->ndeps, sizeof(*registries));

	for (size_t i = 0; i < pkg->ndeps; i++) {
		if ((pkg->deps[i].registry != NULL || call_is_view(rq)) &&
		    read_registry(call, rq, paths, &pkg->deps[i], &registries[i]) == -1)
			return -1;
	}
	if (paths_look_up(call, rq, paths) == -1)
		return -1;
	for (size_t i = 0; i < pkg->ndeps; i++) {
		if (pkg->deps[i].registry != NULL &&
		    name_one(call, rq, paths, &registries[i], &pkg->deps[i]) == -1)
			return -1;
	}
	return name_in_groups(call, rq, pkg, registries);
}
