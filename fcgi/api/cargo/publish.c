#include "api/cargo/publish.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "api/cargo/publish_inspect.h"
#include "api/cargo/publish_registries.h"
#include "api/cargo/publish_upload.h"
#include "auth/call_guard.h"
#include "auth/ci_login.h"
#include "auth/rate_limit.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "call/app_metrics.h"
#include "call/call_view.h"
#include "call/json_response.h"
#include "call/known_caller.h"
#include "crate/index_line.h"
#include "store/blob/blob.h"
#include "store/package/version.h"

enum { LINE_MAX_SEEN = 8 * INDEX_LINE_MAX }; /* an error tells the length of a longer line up to this */

const struct route_policy publish_route_policy = { .action = ACTION_CREATE_PACKAGE,
	.flag = FLAG_CARGO, .knows_callers = true };

/* Measures the stages, each from the end of the one before. */
struct stages {
	const struct meter *meter;
	int64_t since_us;
};

/* A stage has ended with rc, which is returned. */
static int
stage_end(struct stages *stages, enum publish_stage stage, int rc)
{
	int64_t now = clock_us();

	meter_observe(stages->meter, METRIC_PUBLISH_STAGES, stage, now - stages->since_us);
	stages->since_us = now;
	return rc;
}

/* The publish, as its metadata describes it. */
static struct version_new
announced(const struct call *call, const struct request *rq, const struct upload *upload)
{
	return (struct version_new) {
		.actor = call_actor(call, rq),
		.push_level = access_push_level(&call->facts),
		.crate_user = access_crate_user(&call->facts),
		.limits = call->facts.limits,
		.project_id = call->facts.project_id,
		.normalized_name = upload->id.normalized_name,
		.version_base = upload->id.version_base,
		.package = &upload->metadata,
		.size = upload->frame.crate_len,
		.published_at = time(NULL),
		.deleted_name_wait = call->app->settings->deleted_name_wait,
		.max_index_size = call->app->settings->max_index_size,
	};
}

/* Checks the metadata.  Asks the database only for the names of other projects. */
static int
check_metadata(struct call *call, struct request *rq, struct upload *upload, struct registry_paths *paths)
{
	return publish_registries_name(call, rq, paths, &upload->metadata) == -1 ? -1
	    : package_check(rq->arena, &upload->metadata, &upload->policy->limits, &rq->err);
}

/* Counts a publish that is refused.  Keeps its error, unless the rate limit refuses it as well. */
static int
charge_refused(struct call *call, struct request *rq, const char *normalized_name)
{
	struct err why = rq->err;

	err_clear(&rq->err);
	if (rate_limit_charge_publish(call, rq, normalized_name, NULL, 0) == 0)
		rq->err = why;
	return -1;
}

/* As known_caller_confirm(). */
static int
confirm_caller(struct call *call, struct request *rq, struct db_call *asked)
{
	int rc = known_caller_confirm(call, rq, asked);

	if (rc == -1)
		return rate_limit_note_refusal(call, rq);
	token_use_note(&call->app->token_use, call->facts.token_id, time(NULL), clock_us());
	return rc == 1 && call_guard_writes(call, rq, true) == -1 ? -1 : rc;
}

/*
 * rq->err refuses a request that began with remembered facts: confirms these before the client sees the
 * error.  1: they differ, and the caller may still publish, so check again; -1: rq->err.
 */
static int
refuse_known(struct call *call, struct request *rq)
{
	struct err why = rq->err;
	int rc;

	err_clear(&rq->err);
	rc = confirm_caller(call, rq, NULL);
	if (rc == 0)
		rq->err = why;
	return rc == 0 ? -1 : rc;
}

/* What a publish can do while the database answers. */
struct ahead {
	struct call *call;
	struct request *rq;
	struct upload *upload;
};

static void
read_ahead(void *arg)
{
	const struct ahead *ahead = arg;

	upload_read_ahead(ahead->call->app, ahead->rq, ahead->upload);
}

/*
 * Makes all checks that need no byte of the crate, and counts the publish, unless *counted.  After this each
 * publish costs: only an inspection finds what is wrong with the crate itself.  1: it has used remembered
 * facts that differ from the current ones, so check again.
 */
static int
check_announced(struct call *call, struct request *rq, struct upload *upload,
    struct registry_paths *paths, struct version_new *v, bool *counted)
{
	struct db_call calls[VERSION_CHECK_EARLY_CALLS + 1] = { 0 };
	struct db_call *facts = &calls[VERSION_CHECK_EARLY_CALLS];
	size_t n = VERSION_CHECK_EARLY_CALLS + call->facts_due;
	struct ahead ahead = { call, rq, upload };
	int rc = 0;

	*v = announced(call, rq, upload);
	if (check_metadata(call, rq, upload, paths) == -1) {
		rc = *counted ? -1 : charge_refused(call, rq, v->normalized_name);
		*counted = rq->err.status != 429;
		return rc;
	}
	version_check_early_calls(calls, rq->arena, v);
	if (call->facts_due)
		known_caller_call(call, rq, facts);
	db_set_meanwhile(call->app->db, read_ahead, &ahead);
	if ((*counted ? db_run(call->app->db, rq->arena, calls, n, &rq->err)
	        : rate_limit_charge_publish(call, rq, v->normalized_name, calls, n)) == -1)
		return -1;
	*counted = true;
	if (call->facts_due)
		rc = confirm_caller(call, rq, facts);
	return rc != 0 ? rc : version_check_early_judge(call->app->db, calls, v, &rq->err);
}

/* Checks that the description in the crate is sound and agrees with the client's. */
static int
check_package(struct call *call, struct request *rq, struct upload *upload,
    struct registry_paths *paths, struct package *manifest)
{
	const struct publish_policy *policy = upload->policy;
	const char *required = policy->required_metadata;

	if (package_check_required(rq->arena, manifest, required, &rq->err) == -1 ||
	    publish_registries_name(call, rq, paths, manifest) == -1 ||
	    package_check(rq->arena, manifest, &policy->limits, &rq->err) == -1)
		return -1;
	package_sort(manifest);
	package_sort(&upload->metadata);
	return package_agree(rq->arena, &upload->metadata, manifest, &rq->err);
}

static int
publish_package(struct call *call, struct request *rq, struct stages *stages, struct version_new *v)
{
	const struct worker_app *app = call->app;
	struct buf line;
	int rc;

	buf_init(&line, rq->arena, LINE_MAX_SEEN);
	v->published_at = time(NULL);
	if (index_line_encode(&line, v->package, v->cksum, v->published_at,
	        (size_t)app->settings->max_index_line_size, &rq->err) == -1)
		return -1;
	v->index_line = buf_slice(&line);
	v->confirm = publish_inspect_confirm;
	rc = stage_end(stages, STAGE_COMMIT, version_publish(app->db, rq->arena, v, &rq->err));
	if (rc == 0)
		meter_observe(stages->meter, METRIC_PUBLISH_STAGES, STAGE_STORE, blob_stage_keep_us(v->blob));
	return rc;
}

/* Where a new crate of a group went.  NULL: the crate is not new, or the URL is that of a project. */
static const char *
default_project_warning(const struct call *call, struct request *rq, const struct package *pkg)
{
	return !call_is_view(rq) || call->view.has_name ? NULL : arena_printf(rq->arena,
	    "`%s` is new in this group, so it went to the default project of the group, `%s`, which is %s; "
	    "publish the first version of a crate to the URL of another project to put it there", pkg->name,
	    call->facts.full_path, call->facts.visibility);
}

/* What cargo prints as `warning: …`; the other two lists have texts that speak of another site. */
static int
respond(const struct call *call, struct request *rq, struct response *rs, const struct package *pkg,
    const struct strings *of_quotas)
{
	const char *of_project = default_project_warning(call, rq, pkg);
	struct strings warnings;
	struct json_response json;
	struct json_out *o = &json.o;

	package_warnings(rq->arena, pkg, &warnings);
	json_response_init(&json, rq);
	json_out_open(o, '{');
	json_out_key(o, "warnings");
	json_out_open(o, '{');
	json_out_key(o, "invalid_categories");
	json_out_open(o, '[');
	json_out_close(o, ']');
	json_out_key(o, "invalid_badges");
	json_out_open(o, '[');
	json_out_close(o, ']');
	json_out_key(o, "other");
	json_out_open(o, '[');
	for (size_t i = 0; i < warnings.n; i++)
		json_out_str(o, warnings.v[i]);
	for (size_t i = 0; i < of_quotas->n; i++)
		json_out_str(o, of_quotas->v[i]);
	if (of_project != NULL)
		json_out_str(o, of_project);
	json_out_close(o, ']');
	json_out_close(o, '}');
	json_out_close(o, '}');
	return json_response_send(&json, rq, rs, 200);
}

/* Completes the publish with the bytes of the crate. */
static int
take_crate(struct worker_app *app, struct request *rq, struct upload *upload, struct version_new *v)
{
	if (upload_read_crate(app, rq, upload) == -1)
		return -1;
	v->blob = upload->crate;
	v->cksum = blob_stage_sha256(upload->crate);
	v->size = (int64_t)blob_stage_size(upload->crate);
	return version_check_bytes(v, &rq->err);
}

/*
 * The version is there already, which rq->err says.  If the store has lost its bytes, or has others, and the
 * upload has them, they are restored: everybody who publishes a crate again helps.  Returns -1.
 */
static int
restore(struct worker_app *app, struct request *rq, struct upload *upload, const struct version_new *v)
{
	struct err why = rq->err;

	/* not if the caller may not publish any more; a look costs as much as what the client has sent */
	if (why.status != 400 || v->there == NULL || v->size != v->there_size ||
	    rq->content_length < v->there_size || blob_is_sound(rq->arena, app->settings->blobs, v->there))
		return -1;
	err_clear(&rq->err);
	if (upload_read_crate(app, rq, upload) == -1)
		return -1;
	rq->err = why;
	if (strcmp(blob_stage_sha256(upload->crate), v->there) != 0)
		return -1;
	err_clear(&rq->err);
	if (blob_stage_keep(upload->crate, &rq->err) == -1)
		return -1;
	log_warn("store: the bytes of %s %s were missing or damaged; an upload has restored them, sha256 %s",
	    v->package->name, v->version_base, v->there);
	return err_set(&rq->err, 400, "crate version `%s` is already uploaded; the registry had lost its "
	    "bytes, and has restored them from this upload", v->version_base);
}

static int
read_policy(const struct call *call, struct request *rq, struct publish_policy *policy)
{
	return publish_policy_read(rq->arena, call->app->settings, call->facts.project_id, call->project_policy,
	    policy, &rq->err);
}

/* Finds the project of a publish to the registry of a group. */
static int
enter_project(struct call *call, struct request *rq, const char *normalized_name)
{
	const char *group = call->facts.full_path;

	return call_view_find(call, rq, normalized_name) == -1 || ci_login_to_project(call, rq) == -1 ? -1
	    : call_view_enter(call, rq, group);
}

/*
 * Reads what needs no facts about the caller.  In the registry of a group, the name of the crate then
 * says to which project the publish goes.  The answer can tell that a name is taken, so a refusal counts
 * like a new crate.
 */
static int
read_announced(struct call *call, struct request *rq, struct publish_policy *policy, struct upload *upload)
{
	const char *own = call->project_policy;
	int rc;

	call->project_policy = NULL;
	rc = read_policy(call, rq, policy);
	call->project_policy = own;
	if (rc == -1 || app_store_check(call->app, rq) == -1 || upload_read_metadata(rq, policy, upload) == -1)
		return -1;
	if (!call_is_view(rq) || enter_project(call, rq, upload->id.normalized_name) == 0)
		return 0;
	return rq->err.status >= 500 ? -1 : charge_refused(call, rq, "");
}

/* Makes the checks of check_announced() until they have used the current facts about the caller. */
static int
check_caller(struct call *call, struct request *rq, struct publish_policy *policy, struct upload *upload,
    struct registry_paths *paths, struct version_new *v)
{
	bool counted = false;
	int rc;

	do {
		rc = read_policy(call, rq, policy) == -1 || upload_check_policy(rq, upload) == -1 ? -1
		    : check_announced(call, rq, upload, paths, v, &counted);
		if (rc == -1 && call->facts_due)
			rc = refuse_known(call, rq);
	} while (rc == 1);
	call->facts_due = false;
	return rc;
}

int
publish_handle(struct call *call, struct request *rq, struct response *rs)
{
	struct stages stages = { call->app->meter, clock_us() };
	struct publish_policy policy;
	struct upload upload;
	struct version_new v = { 0 };
	struct package manifest;
	struct registry_paths paths = { .n = 0 };
	struct strings of_quotas = { 0 };
	struct publish_inspection *inspection;

	if (read_announced(call, rq, &policy, &upload) == -1) {
		struct err why = rq->err;

		if (call->facts_due && refuse_known(call, rq) == 1)
			rq->err = why;
		return -1;
	}
	if (stage_end(&stages, STAGE_CHECK, check_caller(call, rq, &policy, &upload, &paths, &v)) == -1)
		return restore(call->app, rq, &upload, &v);
	known_caller_remember(call, rq);
	if (stage_end(&stages, STAGE_READ, take_crate(call->app, rq, &upload, &v)) == -1 ||
	    stage_end(&stages, STAGE_WAIT, publish_inspect_begin(call, rq)) == -1 ||
	    stage_end(&stages, STAGE_INSPECT, publish_inspect(call, rq, &upload, &manifest,
	        &inspection)) == -1 ||
	    check_package(call, rq, &upload, &paths, &manifest) == -1)
		return -1;
	v.package = &manifest;
	v.confirm_arg = inspection;
	v.quota_warnings = &of_quotas;
	if (publish_package(call, rq, &stages, &v) == -1)
		return -1;
	return respond(call, rq, rs, &manifest, &of_quotas);
}
