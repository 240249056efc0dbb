#include "api/cargo/publish_registries.h"

#include <strings.h>

#include "base/excerpt.h"
#include "crate/registry_url.h"

/* What a dependency's registry is; `at`: of a project by path, its position in the list. */
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

	if (registry_url_read(rq->arena, call->app->settings->external_url, d->registry, &registry->url,
	        &reason) == -1)
		return err_set(&rq->err, 400, "dependency `%.*s`: %s", excerpt(slice_str(d->name)),
		    d->name, reason.pub);
	if (registry->url.path == NULL)
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

int
publish_registries_name(struct call *call, struct request *rq, struct registry_paths *paths,
    struct package *pkg)
{
	struct dependency_registry *registries = arena_calloc(rq->arena, pkg->ndeps, sizeof(*registries));

	for (size_t i = 0; i < pkg->ndeps; i++) {
		if (pkg->deps[i].registry != NULL &&
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
	return 0;
}
