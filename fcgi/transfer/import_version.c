#include "transfer/import_version.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "access/access.h"
#include "base/buf.h"
#include "base/clock.h"
#include "crate/crate_name.h"
#include "crate/index_line.h"
#include "crate/inspect/job.h"
#include "crate/registry_url.h"
#include "crate/semver.h"
#include "transfer/import_line.h"
#include "store/blob/blob.h"
#include "store/package/version.h"
#include "store/package/view.h"
#include "store/project.h"

enum { PIECE = 64 * 1024, LINE_MAX_SEEN = 8 * INDEX_LINE_MAX };

const char *const import_result_names[IMPORT__MAX] = {
	[IMPORT_DONE] = "imported",
	[IMPORT_LEGACY] = "legacy",
	[IMPORT_THERE] = "there",
	[IMPORT_YANKED] = "yanked",
	[IMPORT_REFUSED] = "refused",
	[IMPORT_DIFFERS] = "differs",
	[IMPORT_MISSING] = "missing",
	[IMPORT_OWNERS] = "owners",
	[IMPORT_OWNERS_MISSING] = "owners_missing",
	[IMPORT_DOWNLOADS] = "downloads",
	[IMPORT_UNTIMED] = "untimed",
};

/* One version on its way. */
struct passage {
	const struct importer *importer;
	struct arena *arena;
	const struct import_there *there;
	const struct import_version *version;
	struct import_line line; /* of the index; cksum NULL: there is none */
	struct package_id id;
	int fd; /* the source's file; -1: closed */
	struct package package;
	struct version_new v;
	const char *legacy; /* why a publish would be refused; NULL: it would not */
	const char *odd_time; /* what is wrong with the time that the source has; NULL: nothing, or it has none */
};

static int
compare_base(const void *left, const void *right)
{
	const struct inventory_version *a = left, *b = right;

	return strcmp(a->version_base, b->version_base);
}

/* The version that the project has already.  NULL: it has none. */
static const struct inventory_version *
find_there(const struct passage *p)
{
	const struct inventory_version wanted = { .version_base = p->id.version_base };

	return p->there->n == 0 ? NULL :
	    bsearch(&wanted, p->there->versions, p->there->n, sizeof(wanted), compare_base);
}

static void
close_source(void *arg)
{
	struct passage *p = arg;

	if (p->fd != -1)
		close(p->fd);
	p->fd = -1;
}

static int
unreadable(const struct passage *p, struct err *err)
{
	return err_set(err, 400, "cannot read %s: %s", p->version->path, strerrordesc_np(errno));
}

static int
open_source(struct passage *p, struct err *err)
{
	p->fd = open(p->version->path, BLOB_OPEN);
	if (p->fd == -1)
		return unreadable(p, err);
	arena_defer(p->arena, close_source, p);
	return 0;
}

static int
begin_stage(void *arg, struct err *err)
{
	struct passage *p = arg;

	return blob_stage(p->arena, p->importer->job->settings->blobs, &p->v.blob, err);
}

/* The error for a crate of that many bytes; more: others follow. */
static int
too_large(const struct passage *p, bool more, uint64_t bytes, struct err *err)
{
	return err_set(err, 400, "crate `%s` %s has %s%" PRIu64 " bytes, and max_crate_size of the project allows "
	    "%" PRIu32 ": raise it with `berth project set`, and import again", p->there->crate->name,
	    p->version->version, more ? "at least " : "", bytes, p->importer->job->policy->max_crate_size);
}

static int
take_piece(void *arg, struct slice piece, struct err *err)
{
	const struct passage *p = arg;
	uint64_t bytes = blob_stage_size(p->v.blob) + piece.n;

	if (bytes > p->importer->job->policy->max_crate_size)
		return too_large(p, true, bytes, err);
	return blob_stage_write(p->v.blob, piece, err);
}

static int
read_file(struct passage *p, struct err *err)
{
	char *piece = arena_alloc(p->arena, PIECE);
	struct stat st;
	ssize_t n;

	if (open_source(p, err) == -1)
		return -1;
	if (fstat(p->fd, &st) == -1)
		return unreadable(p, err);
	if (st.st_size > p->importer->job->policy->max_crate_size)
		return too_large(p, false, (uint64_t)st.st_size, err);
	if (begin_stage(p, err) == -1)
		return -1;
	while ((n = TEMP_FAILURE_RETRY(read(p->fd, piece, PIECE))) != 0) {
		if (n == -1)
			return unreadable(p, err);
		if (take_piece(p, slice_of(piece, (size_t)n), err) == -1)
			return -1;
	}
	return 0;
}

static int
download(struct passage *p, struct err *err)
{
	const struct import_download d = { p->there->crate->name, p->version->version, p->line.cksum, begin_stage,
		take_piece, p };

	bool found;

	if (import_remote_crate(p->importer->remote, p->importer->connections, p->arena, &d, &found, err) == -1)
		return -1;
	if (!found)
		p->v.blob = NULL;
	return 0;
}

/* -1: 400, the lock file says that the version is another one. */
static int
check_locked(const struct passage *p, const char *what, const char *cksum, struct err *err)
{
	const char *locked = p->version->cksum;

	return locked == NULL || strcmp(locked, cksum) == 0 ? 0 :
	    err_set(err, 400, "%s has the SHA-256 %s, and the lock file says %s", what, cksum, locked);
}

/* Writes the crate to a staging file of the store.  v.blob NULL: the source does not have it. */
static int
stage(struct passage *p, struct err *err)
{
	struct version_new *v = &p->v;
	bool remote = p->importer->remote != NULL && p->line.cksum != NULL;

	if (p->version->path == NULL && !remote)
		return 0;
	if ((p->version->path != NULL ? read_file : download)(p, err) == -1)
		return -1;
	if (v->blob == NULL)
		return 0;
	v->cksum = blob_stage_sha256(v->blob);
	v->size = (int64_t)blob_stage_size(v->blob);
	if (p->line.cksum != NULL && strcmp(p->line.cksum, v->cksum) != 0)
		return err_set(err, 400, "the crate has the SHA-256 %s, and the index says %s", v->cksum,
		    p->line.cksum);
	return check_locked(p, "the crate", v->cksum, err);
}

/* Reads the manifest in the crate, if its folder has that name. */
static int
inspect_as(struct passage *p, const char *name, struct err *err)
{
	const struct import_job *wanted = p->importer->job;
	const struct job job = { .kind = JOB_INSPECT, .limits = {
		.max_unpacked = (uint64_t)wanted->policy->max_unpacked_size,
		.max_entries = (uint64_t)wanted->policy->max_entries,
		.folder = arena_printf(p->arena, "%s-%s", name, p->version->version),
	} };
	struct inspector_result result = { .errors = slice_str("") };
	int64_t deadline_us = clock_us() + wanted->settings->inspect_timeout * CLOCK_SECOND;
	int fd = blob_stage_fd(p->v.blob, err);
	struct verdict verdict;
	struct err died = { 0 };

	if (fd == -1)
		return -1;
	if (inspector_run(p->importer->inspector, p->arena, &job, fd, deadline_us, &result, err) == -1) {
		if (err->status != 503)
			return -1;
		/* it is this crate that takes so long */
		err_clear(err);
		return err_set(err, 400, "the inspection did not end within %" PRId64 " seconds; to give it "
		    "more time, raise inspect_timeout of the configuration", wanted->settings->inspect_timeout);
	}
	/* this crate has ended the inspector, so the import refuses it and goes on */
	if (inspector_check_status(&result, &died) == -1)
		return err_set(err, 400, "%s", died.detail);
	if (verdict_decode(p->arena, result.verdict, &verdict, err) == -1)
		return -1;
	if (!verdict.accepted)
		return err_set(err, 400, "%s", verdict.error);
	p->package = verdict.package;
	return 0;
}

/* Some registries write all names in lower case; the crate has the right spelling. */
static int
inspect(struct passage *p, struct err *err)
{
	const struct import_crate *crate = p->there->crate;

	if (inspect_as(p, crate->name, err) == 0)
		return 0;
	if (err->status >= 500 || crate->alias == NULL)
		return -1;
	err_clear(err);
	return inspect_as(p, crate->alias, err);
}

/* Turns the registry of a group into that of the project that has the name there, as a publish does. */
static int
find_in_group(const struct passage *p, const struct dependency *d, struct registry_url *url, struct err *err)
{
	const char *name;
	struct namespace_ref group = { .id = url->group_id };
	struct view_name owner;

	if (crate_name_check(slice_str(d->name), "dependency", err) == -1)
		return -1;
	name = crate_name_normalize(p->arena, slice_str(d->name));
	if (url->path != NULL)
		group.path = slice_str(url->path);
	if (view_names(p->importer->db, p->arena, &group, &name, 1, &owner, err) == -1)
		return -1;
	if (owner.project_id == 0 || strcmp(owner.crate, d->name) != 0)
		return err_set(err, 400, "dependency `%s`: no crate of that name is in the registry of the group, %s; "
		    "if these crates come from there, give it with --registry-url", d->name, d->registry);
	*url = (struct registry_url) { .kind = REGISTRY_HERE, .project_id = owner.project_id };
	return 0;
}

/* Gives the registry of a dependency its one spelling. */
static int
name_registry(const struct passage *p, struct dependency *d, struct err *err)
{
	const struct import_job *job = p->importer->job;
	const char *server = job->settings->external_url;
	struct registry_url url;
	struct project *project;

	if (d->registry == NULL)
		return 0;
	if (registry_url_read(p->arena, server, d->registry, &url, err) == -1)
		return -1;
	if (url.kind == REGISTRY_PUBLIC)
		d->registry = REGISTRY_PUBLIC_URL;
	if (import_registry_is_among(job->registries, d->registry)) {
		d->registry = NULL;
		return 0;
	}
	if (url.kind == REGISTRY_GROUP && find_in_group(p, d, &url, err) == -1)
		return -1;
	if (url.kind != REGISTRY_HERE)
		return 0;
	if (url.project_id == 0) {
		if (project_find(p->importer->db, p->arena, url.path, &project, err) == -1)
			return -1;
		url.project_id = project->id;
	}
	d->registry = registry_url_index(p->arena, server, url.project_id);
	return 0;
}

/* What a publish would be refused for, unless it is old and clients read it. */
static int
check_rules(struct passage *p, const struct package_limits *limits, struct err *err)
{
	if (package_check(p->arena, &p->package, limits, err) == -1)
		return -1;
	return limits->legacy ? 0 :
	    package_check_required(p->arena, &p->package, p->importer->job->policy->required_metadata, err);
}

static int
check(struct passage *p, struct err *err)
{
	const struct import_job *job = p->importer->job;
	struct package_limits limits = job->policy->limits;

	limits.registry_advice = job->registry_advice;
	if (p->line.cksum != NULL)
		import_line_apply(&p->line, &p->package);
	for (size_t i = 0; i < p->package.ndeps; i++) {
		if (name_registry(p, &p->package.deps[i], err) == -1)
			return -1;
	}
	if (check_rules(p, &limits, err) == -1) {
		if (!job->accept_legacy)
			return -1;
		p->legacy = arena_strdup(p->arena, err->pub);
		err_clear(err);
		limits.legacy = true;
		if (check_rules(p, &limits, err) == -1)
			return -1;
	}
	package_sort(&p->package);
	return 0;
}

/* When the version was published, according to the index, or else to the list; now, if neither says so. */
static void
set_time(struct passage *p)
{
	const struct import_time *line = &p->line.published_at, *list = &p->version->published_at;

	p->v.published_at = (time_t)(line->seconds != 0 ? line->seconds : list->seconds);
	if (p->v.published_at != 0)
		return;
	p->v.published_at = time(NULL);
	p->v.is_untimed = true;
	p->odd_time = line->why != NULL ? line->why : list->why;
}

/* The publish, once the crate has been read. */
static int
describe(struct passage *p, struct err *err)
{
	const struct import_job *job = p->importer->job;
	struct buf line;
	struct version_new *v = &p->v;

	v->actor = job->actor;
	v->push_level = LEVEL_ADMIN;
	v->limits = (struct token_limits) { .operations = TOKEN_ANY_OPERATION };
	v->project_id = job->project_id;
	v->normalized_name = p->id.normalized_name;
	v->version_base = p->id.version_base;
	v->package = &p->package;
	set_time(p);
	v->max_index_size = job->settings->max_index_size;
	v->imported_from = job->from;
	buf_init(&line, p->arena, LINE_MAX_SEEN);
	if (index_line_encode(&line, &p->package, v->cksum, v->published_at,
	        (size_t)job->settings->max_index_line_size, err) == -1)
		return -1;
	v->index_line = buf_slice(&line);
	return 0;
}

static int
set_yanked(const struct passage *p, struct err *err)
{
	const struct version_yank yank = {
		.actor = p->importer->job->actor,
		.limits = { .operations = TOKEN_ANY_OPERATION },
		.project_id = p->importer->job->project_id,
		.name = p->there->crate->name,
		.version_base = p->id.version_base,
		.yanked = p->line.yanked,
		.push_level = LEVEL_ADMIN,
	};

	return p->importer->job->dry_run ? 0 : version_set_yanked(p->importer->db, p->arena, &yank, err);
}

/* Asks the database what is against it, and publishes it. */
static int
publish(struct passage *p, struct err *err)
{
	struct db_call calls[VERSION_CHECK_EARLY_CALLS] = { 0 };
	struct db *db = p->importer->db;
	struct strings warnings = { 0 };

	version_check_early_calls(calls, p->arena, &p->v);
	if (db_run(db, p->arena, calls, VERSION_CHECK_EARLY_CALLS, err) == -1 ||
	    version_check_early_judge(db, calls, &p->v, err) == -1)
		return -1;
	if (p->importer->job->dry_run)
		return 0;
	p->v.quota_warnings = &warnings;
	if (version_publish(db, p->arena, &p->v, err) == -1)
		return -1;
	return p->line.yanked ? set_yanked(p, err) : 0;
}

/* The project has the version: is it the same? */
static int
compare(struct passage *p, const struct inventory_version *there, struct import_outcome *outcome,
    struct err *err)
{
	const char *cksum = p->line.cksum;
	bool same;

	if (cksum == NULL) {
		if (open_source(p, err) == -1)
			return -1;
		if (blob_hash_file(p->fd, there->cksum, &same) == -1)
			return unreadable(p, err);
	} else {
		same = strcmp(cksum, there->cksum) == 0;
	}
	if (same && check_locked(p, "the project's crate", there->cksum, err) == -1)
		return -1;
	outcome->result = same ? IMPORT_THERE : IMPORT_DIFFERS;
	if (!same)
		outcome->why = arena_printf(p->arena, "the project has it with other bytes, of the SHA-256 %s",
		    there->cksum);
	if (!same || cksum == NULL || there->yanked == p->line.yanked)
		return 0;
	outcome->result = IMPORT_YANKED;
	outcome->why = p->line.yanked ? "yanked, as in the source" : "unyanked, as in the source";
	return set_yanked(p, err);
}

/* Does only the lock file know the version? */
static bool
is_named_alone(const struct import_version *version)
{
	return version->path == NULL && version->line.n == 0;
}

static int
pass(struct passage *p, struct import_outcome *outcome, struct err *err)
{
	const struct package named = { .name = p->there->crate->name, .version = p->version->version };
	const struct inventory_version *there;

	if (package_check_id(p->arena, &named, &p->id, err) == -1 ||
	    (p->version->line.n > 0 && import_line_parse(p->arena, p->version->line, &p->line, err) == -1) ||
	    (p->line.cksum != NULL && check_locked(p, "the line of the index", p->line.cksum, err) == -1))
		return -1;
	there = find_there(p);
	if (there != NULL && (p->version->path != NULL || p->line.cksum != NULL))
		return compare(p, there, outcome, err);
	if (stage(p, err) == -1)
		return -1;
	if (p->v.blob == NULL && there != NULL && p->version->cksum != NULL) {
		outcome->result = IMPORT_THERE;
		return check_locked(p, "the project's crate", there->cksum, err);
	}
	if (p->v.blob == NULL) {
		outcome->result = IMPORT_MISSING;
		outcome->why = is_named_alone(p->version) ? "the source does not have the version" :
		    "the source does not have its bytes";
		return 0;
	}
	if (inspect(p, err) == -1 ||
	    check(p, err) == -1 || describe(p, err) == -1 || publish(p, err) == -1)
		return -1;
	outcome->result = p->legacy != NULL ? IMPORT_LEGACY : IMPORT_DONE;
	outcome->why = p->legacy;
	outcome->is_untimed = p->v.is_untimed;
	outcome->odd_time = p->odd_time;
	return 0;
}

int
import_version(const struct importer *importer, struct arena *a, const struct import_there *there,
    const struct import_version *version, struct import_outcome *outcome, struct err *err)
{
	struct passage *p = arena_alloc(a, sizeof(*p));

	*p = (struct passage) { importer, a, there, version, .fd = -1 };
	*outcome = (struct import_outcome) { .why = NULL };
	if (pass(p, outcome, err) == 0)
		return 0;
	if (err->status >= 500)
		return -1;
	outcome->result = IMPORT_REFUSED;
	outcome->why = arena_strdup(a, err->pub);
	err_clear(err);
	return 0;
}
