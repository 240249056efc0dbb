#include "api/cargo/download.h"

#include <inttypes.h>
#include <string.h>

#include "call/app_metrics.h"
#include "call/bring.h"
#include "call/cache_hint.h"
#include "crate/crate_name.h"
#include "crate/semver.h"
#include "store/package/version.h"

static int
download_read(struct request *rq, const struct namespace_ref *project, struct db_call *call)
{
	struct slice name = request_param(rq, "crate"), version = request_param(rq, "version");
	struct semver semver;
	struct err wrong;

	if (crate_name_check(name, "crate", &wrong) == -1 ||
	    semver_parse(version, &semver, &wrong) == -1)
		return err_set(&rq->err, 404, "Crate Not Found");
	version_blob_call(call, rq->arena, project->id, name, version);
	return 0;
}

const struct route_policy download_policy = { .action = ACTION_READ_FILES,
	.flag = FLAG_CARGO, .read = download_read };

/* The caller for the log of downloads: "user:7", "deploy:9", "job:11", or "" without a token. */
static const char *
download_who(struct arena *a, const struct access_facts *facts)
{
	if (facts->token_id == 0)
		return "";
	if (strcmp(facts->token_kind, "personal") == 0)
		return arena_printf(a, "user:%" PRId64, facts->user_id);
	return arena_printf(a, "%s:%" PRId64, facts->token_kind, facts->token_id);
}

/* Another host of the registry may have the file, so 503 and not 500. */
static int
refuse_missing(struct worker_app *app, struct request *rq, const char *cksum)
{
	struct slice crate = request_param(rq, "crate"), version = request_param(rq, "version");

	meter_count(app->meter, METRIC_BLOBS_MISSING, 0, 0);
	err_internal(&rq->err, 503, "blob store: %s is missing; run `berth fsck`", cksum);
	return err_tell(&rq->err, "the bytes of %.*s %.*s are missing in this host's store; tell the "
	    "registry's administrator", (int)crate.n, crate.p, (int)version.n, version.p);
}

int
download_handle(struct call *call, struct request *rq, struct response *rs)
{
	const char *who = download_who(rq->arena, &call->facts);
	struct version_blob blob;
	const char *path;
	int there;

	version_blob_read(&call->first, &blob);
	if (!blob.found)
		return err_set(&rq->err, 404, "Crate Not Found");
	there = bring_blob(call->app, rq, blob.cksum, blob.size, &path);
	if (there == -1)
		return -1;
	if (there == 0)
		return refuse_missing(call->app, rq, blob.cksum);
	cache_hint_leave(call, rq, request_param(rq, "crate"), request_param(rq, "version"));
	response_header(rs, "X-Accel-Redirect",
	    arena_printf(rq->arena, "/-/blob/%s", path));
	/* for nginx's log of downloads; hidden from the client */
	response_header(rs, "X-Berth-Download",
	    arena_printf(rq->arena, "%" PRId64 "/%" PRId64 "/%" PRId64 "%s%s", blob.project_id,
		blob.crate_id, blob.version_id, who[0] != '\0' ? " " : "", who));
	/* becomes Cache-Control of the file, and of no error that nginx finds in its place */
	response_header(rs, "X-Berth-Cache-Control",
	    access_is_public(&call->facts) && call->facts.token_id == 0
		? "public, max-age=31536000, immutable"
		: "private, max-age=31536000, immutable");
	response_header(rs, "Vary", "Authorization");
	response_body(rs, 200, "application/gzip", slice_of("", 0));
	return 0;
}
