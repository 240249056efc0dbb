#include "api/publish.h"

#include <inttypes.h>
#include <time.h>

#include "api/publish_inspect.h"
#include "api/publish_intake.h"
#include "base/buf.h"
#include "base/json.h"
#include "crate/crate_name.h"
#include "crate/index_line.h"
#include "crate/semver.h"
#include "store/version_check.h"

enum { RESPONSE_MAX = 64 * 1024 };

const struct route_need publish_need = { .action = ACTION_CREATE_PACKAGE };

/* The project's full path as cargo users write it into an index URL. */
static const char *
encoded_path(struct arena *a, const char *full_path)
{
	struct buf b;

	buf_init(&b, a, REQUEST_PATH_MAX);
	for (const char *p = full_path; *p != '\0'; p++) {
		if (*p == '/')
			buf_puts(&b, "%2F");
		else
			buf_putc(&b, *p);
	}
	return buf_str(&b);
}

/*
 * The project's index can be configured by id or by path: both are this
 * registry.  Other registries of this server are allowed besides those of the
 * configuration.
 */
static struct package_limits
limits_of(const struct worker_app *app, struct arena *a)
{
	const struct settings *s = app->settings;

	return (struct package_limits) {
		.max_dependencies = (size_t)s->max_dependencies,
		.max_features = (size_t)s->max_features,
		.own_registries = arena_printf(a,
		    "sparse+%s/ sparse+%s/api/v4/projects/%s/packages/cargo/", app_registry_url(app, a),
		    s->external_url, encoded_path(a, app->facts.full_path)),
		.allowed_registries = arena_printf(a, "sparse+%s/api/v4/projects/* %s", s->external_url,
		    s->allowed_registries),
	};
}

/* Both descriptions are sound, and the client's agrees with the one in the crate. */
static int
check_package(struct worker_app *app, struct request *rq, struct package *metadata,
    struct package *manifest)
{
	struct package_limits limits = limits_of(app, rq->arena);

	if (package_check(rq->arena, manifest, &limits, &rq->err) == -1 ||
	    package_check(rq->arena, metadata, &limits, &rq->err) == -1)
		return -1;
	package_sort(manifest);
	package_sort(metadata);
	return package_agree(metadata, manifest, &rq->err);
}

static int
publish_package(struct worker_app *app, struct request *rq, struct blob_staging *crate,
    const struct package *pkg)
{
	time_t now = time(NULL);
	struct version_new v = {
		.actor = app_actor(app, rq),
		.project_id = app->facts.project_id,
		.normalized_name = crate_name_normalize(rq->arena, slice_str(pkg->name)),
		.package = pkg,
		.cksum = blob_stage_sha256(crate),
		.size = (int64_t)blob_stage_size(crate),
		.published_at = now,
	};
	struct semver version;
	struct buf line;

	buf_init(&line, rq->arena, INDEX_LINE_MAX);
	if (semver_parse(slice_str(pkg->version), &version, &rq->err) == -1 ||
	    index_line_encode(&line, pkg, v.cksum, now, &rq->err) == -1)
		return -1;
	v.version_base = semver_base(rq->arena, &version);
	v.index_line = buf_slice(&line);
	if (version_check_new(app->db, rq->arena, &v, &rq->err) == -1)
		return -1;
	/* the bytes are on disk for good before any reader can learn of them */
	if (blob_stage_keep(crate, &rq->err) == -1)
		return -1;
	return version_publish(app->db, rq->arena, &v, &rq->err);
}

/* What cargo prints as `warning: …`; the other two lists have texts that speak of another site. */
static int
respond(struct request *rq, struct response *rs, const struct package *pkg)
{
	struct strings warnings;
	struct json_out o;
	struct buf b;

	package_warnings(rq->arena, pkg, &warnings);
	buf_init(&b, rq->arena, RESPONSE_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	json_out_key(&o, "warnings");
	json_out_open(&o, '{');
	json_out_key(&o, "invalid_categories");
	json_out_open(&o, '[');
	json_out_close(&o, ']');
	json_out_key(&o, "invalid_badges");
	json_out_open(&o, '[');
	json_out_close(&o, ']');
	json_out_key(&o, "other");
	json_out_open(&o, '[');
	for (size_t i = 0; i < warnings.n; i++)
		json_out_str(&o, warnings.v[i]);
	json_out_close(&o, ']');
	json_out_close(&o, '}');
	json_out_close(&o, '}');
	response_body(rs, 200, "application/json", buf_slice(&b));
	return 0;
}

int
publish_handle(struct worker_app *app, struct request *rq, struct response *rs)
{
	struct intake intake;
	struct package manifest;

	if (intake_read(app, rq, &intake) == -1 ||
	    publish_inspect(app, rq, intake.crate, &intake.metadata, &manifest) == -1 ||
	    check_package(app, rq, &intake.metadata, &manifest) == -1 ||
	    publish_package(app, rq, intake.crate, &manifest) == -1)
		return -1;
	return respond(rq, rs, &manifest);
}
