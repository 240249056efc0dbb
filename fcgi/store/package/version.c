#include "store/package/version.h"

#include <string.h>

#include "access/naming.h"
#include "base/buf.h"
#include "base/json.h"
#include "crate/crate_name.h"
#include "crate/index_line.h"
#include "crate/package_json.h"
#include "store/package/crate.h"
#include "store/package/index_rebuild.h"
#include "store/package/owner.h"
#include "store/package/protection.h"
#include "store/package/quota.h"
#include "store/package/version_check.h"

/* Far above what package_limits let through. */
enum { JSON_MAX = 16 << 20 };

static const char *
dependencies_json(struct arena *a, const struct package *pkg)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, a, JSON_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '[');
	for (size_t i = 0; i < pkg->ndeps; i++) {
		const struct dependency *d = &pkg->deps[i];

		json_out_open(&o, '{');
		json_out_key_str(&o, "name", d->name);
		json_out_key_str(&o, "alias", d->alias);
		json_out_key_str(&o, "req", d->req);
		json_out_key_str(&o, "target", d->target);
		json_out_key_str(&o, "registry", d->registry);
		json_out_key_str(&o, "kind", dep_kind_names[d->kind]);
		json_out_key_bool(&o, "optional", d->optional);
		json_out_key_bool(&o, "default_features", d->default_features);
		package_json_write_strings(&o, "features", &d->features);
		json_out_close(&o, '}');
	}
	json_out_close(&o, ']');
	return buf_str(&b);
}

static const char *
features_json(struct arena *a, const struct package *pkg)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, a, JSON_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	for (size_t i = 0; i < pkg->nfeatures; i++)
		package_json_write_strings(&o, pkg->features[i].name, &pkg->features[i].values);
	json_out_close(&o, '}');
	return buf_str(&b);
}

static void
version_add_call(struct db_call *call, struct arena *a, const struct version_new *v, bool has_id)
{
	const struct package *pkg = v->package;
	struct db_params *p = &call->params;

	call->stmt = STMT_VERSION_ADD;
	db_bind_int(p, v->project_id);
	db_bind_str(p, v->normalized_name);
	db_bind_str(p, pkg->version);
	db_bind_str(p, v->version_base);
	db_bind_slice(p, a, v->index_line);
	db_bind_str(p, v->cksum);
	db_bind_int(p, v->size);
	db_bind_int(p, v->published_at);
	db_bind_id(p, v->actor.user_id);
	db_bind_id(p, v->actor.token_id);
	db_bind_str(p, pkg->description);
	db_bind_str(p, pkg->homepage);
	db_bind_str(p, pkg->documentation);
	db_bind_str(p, pkg->repository);
	db_bind_str(p, pkg->license);
	db_bind_str(p, pkg->license_file);
	db_bind_str(p, pkg->links);
	db_bind_str(p, pkg->rust_version);
	db_bind_str(p, pkg->edition);
	db_bind_str(p, pkg->readme);
	db_bind_str(p, pkg->readme_file);
	db_bind_array(p, a, pkg->authors.v, pkg->authors.n);
	db_bind_array(p, a, pkg->keywords.v, pkg->keywords.n);
	db_bind_array(p, a, pkg->categories.v, pkg->categories.n);
	db_bind_array(p, a, pkg->bins.v, pkg->bins.n);
	db_bind_bool(p, pkg->has_lib);
	db_bind_str(p, features_json(a, pkg));
	db_bind_str(p, dependencies_json(a, pkg));
	db_bind_bool(p, v->imported_from != NULL);
	db_bind_bool(p, has_id);
}

struct publish {
	struct arena *arena;
	struct version_new *version;
	bool ahead; /* the publish relies on what the first checks have found of the crate */
	bool raced; /* the crate has changed since that check */
};

/* What the publish writes beside the index file, in the order of the calls. */
enum { WRITE_VERSION, WRITE_AUDIT, WRITE_QUOTA, WRITE_CALLS };

static void
lock_call(struct db_call *call, const struct version_new *v)
{
	crate_lock_call(call, v->project_id, v->package->name, v->normalized_name);
}

/* `grown`: a call before adds the line to the index file.  Quotas are charged last. */
static void
write_calls(struct db_call *writes, const struct publish *publish, bool grown)
{
	const struct version_new *v = publish->version;
	const struct audit_event event = {
		.action = AUDIT_CRATE_PUBLISH,
		.project_id = v->project_id,
		.crate = v->package->name,
		.version = v->package->version,
		.facts = { { "imported_from", v->imported_from, false },
		    { "published_at", v->is_untimed ? "import" : NULL, false } },
	};
	int64_t need[QUOTA__MAX];

	version_check_quota(v, need);
	version_add_call(&writes[WRITE_VERSION], publish->arena, v, grown);
	audit_call(&writes[WRITE_AUDIT], publish->arena, &v->actor, &event);
	quota_charge_call(&writes[WRITE_QUOTA], v->project_id, need);
}

static int
grow_call(struct db_call *call, const struct publish *publish, struct err *err)
{
	const struct version_new *v = publish->version;
	const struct index_growth growth = { v->project_id, v->package->name, v->normalized_name, v->index_line };

	return index_grow_call(call, publish->arena, &v->index, &growth, err);
}

/* Writes the blob to disk while the database works; confirm() calls blob_stage_keep() again for its error. */
static void
keep_blob(void *arg)
{
	const struct version_new *v = arg;
	struct err ignored;

	(void)!blob_stage_keep(v->blob, &ignored);
}

/* Runs the last statements of the publish, and keeps the blob meanwhile. */
static int
publish_write(struct db *db, const struct publish *publish, struct db_call *calls, size_t n, struct err *err)
{
	db_set_meanwhile(db, keep_blob, publish->version);
	return db_run_last(db, publish->arena, calls, n, err);
}

/* Asks the caller of version_publish() whether to commit.  -1: it refuses. */
static int
ask_caller(const struct version_new *v, struct err *err)
{
	return v->confirm == NULL ? 0 : v->confirm(v->confirm_arg, err);
}

/* Are quotas, caller and blob as they should be, once all is written? */
static int
confirm(const struct db_call *writes, const struct publish *publish, struct err *err)
{
	struct version_new *v = publish->version;
	int64_t need[QUOTA__MAX];

	version_check_quota(v, need);
	if (quota_judge(&writes[WRITE_QUOTA], need, err) == -1)
		return -1;
	*v->quota_warnings = (struct strings) { 0 };
	quota_warnings(&writes[WRITE_QUOTA], publish->arena, v->quota_warnings);
	if (ask_caller(v, err) == -1)
		return -1;
	/* nobody has taken the bytes away meanwhile, and nobody can any more */
	return blob_stage_keep(v->blob, err) == -1 ? -1 : blob_stage_confirm(v->blob, err);
}

/*
 * Everything in one round trip.  Ahead, by what the first checks have found: each change of a crate's
 * versions changes its index file, so while the file's revision is the same, the crate is as it was.  If it
 * is not, no line is added, or a statement fails: then the crate has to be checked again.
 */
static int
publish_growing(struct db *db, struct publish *publish, struct err *err)
{
	enum { INDEX, CHECK, CALLS = CHECK + VERSION_CHECK_CALLS + WRITE_CALLS };
	struct db_call calls[CALLS] = { 0 };
	struct version_new *v = publish->version;
	size_t nchecks = publish->ahead ? version_check_again_calls(&calls[CHECK], publish->arena, v) : 0;
	struct db_call *writes = &calls[CHECK + nchecks];
	bool done;
	int rc;

	if (version_check_size(v, err) == -1 || grow_call(&calls[INDEX], publish, err) == -1)
		return -1;
	write_calls(writes, publish, true);
	rc = publish_write(db, publish, calls, CHECK + nchecks + WRITE_CALLS, err);
	done = rc == 0 && index_grow_done(&calls[INDEX], &v->index);
	publish->raced = publish->ahead && !done && (rc == 0 || err->status == 500);
	if (rc == 0 && !done)
		return err_internal(err, 503, "the crate has changed meanwhile");
	if (rc == -1 || (nchecks > 0 && version_check_again_judge(&calls[CHECK], nchecks, v, err) == -1))
		return -1;
	return confirm(writes, publish, err);
}

/* Renders an index file anew that cannot grow. */
static int
publish_rebuilding(struct db *db, const struct publish *publish, int64_t crate_id, struct err *err)
{
	struct arena *a = publish->arena;
	struct db_call writes[WRITE_CALLS + INDEX_REBUILD_CALLS] = { 0 };
	struct index_rebuild *rebuild = index_rebuild_begin(a, crate_id, &writes[WRITE_CALLS], err);

	if (rebuild == NULL)
		return -1;
	write_calls(writes, publish, false);
	if (db_run(db, a, writes, WRITE_CALLS + INDEX_REBUILD_CALLS, err) == -1 ||
	    version_check_rendered(publish->version, index_rebuild_size(rebuild), err) == -1 ||
	    confirm(writes, publish, err) == -1)
		return -1;
	return index_rebuild_end(rebuild, db, a, err);
}

/* The body of the transaction. */
static int
publish_body(struct db *db, void *arg, struct err *err)
{
	enum { LOCK, CHECK, CALLS = CHECK + VERSION_CHECK_CALLS };
	struct publish *publish = arg;
	struct version_new *v = publish->version;
	struct db_call calls[CALLS] = { 0 };

	if (publish->ahead)
		return publish_growing(db, publish, err);
	lock_call(&calls[LOCK], v);
	version_check_calls(&calls[CHECK], publish->arena, v);
	if (db_run(db, publish->arena, calls, CALLS, err) == -1 ||
	    version_check_judge(db, &calls[CHECK], v, err) == -1)
		return -1;
	return index_grow_can(&v->index) ? publish_growing(db, publish, err)
	    : publish_rebuilding(db, publish, crate_lock_read(&calls[LOCK]), err);
}

/*
 * Do the first checks suffice?  Not for a crate whose versions are all deleted, whose name may get another
 * spelling, nor for an index file that has to be rendered.
 */
static bool
can_go_ahead(const struct index_file *index)
{
	return index_grow_can(index) && (index->tail.n > 0 || index->revision == 0);
}

enum { COMMITS_MAX = 3 }; /* whose answers are lost, one after the other */

struct look {
	struct publish publish;
	bool looked;
	bool happened; /* the version is there, with our bytes, from our token; of an import, from no token */
};

/*
 * The transaction whose COMMIT was not answered may still be about to end, and holds the
 * crate until then: to look before we have its lock would be too early.
 */
static int
look_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_VERSION_PUBLISHED };
	enum { LOCK, PUBLISHED, NCALLS };
	struct look *look = arg;
	const struct version_new *v = look->publish.version;
	struct db_call calls[NCALLS] = { [PUBLISHED] = { .stmt = STMT_VERSION_PUBLISHED } };
	const struct db_result *r = &calls[PUBLISHED].result;

	lock_call(&calls[LOCK], v);
	db_bind_int(&calls[PUBLISHED].params, v->project_id);
	db_bind_str(&calls[PUBLISHED].params, v->normalized_name);
	db_bind_str(&calls[PUBLISHED].params, v->version_base);
	if (db_run(db, look->publish.arena, calls, NCALLS, err) == -1)
		return -1;
	look->happened = r->rows == 1 && strcmp(db_str(r, 0, CKSUM), v->cksum) == 0 &&
	    db_int_or_0(r, 0, TOKEN_ID) == v->actor.token_id;
	look->looked = true;
	/* rolled back in any case: a crate that the lock has made has no versions */
	return err_internal(err, 503, look->happened ? "it happened" : "it did not happen");
}

int
version_publish(struct db *db, struct arena *a, struct version_new *v, struct err *err)
{
	struct look look = { .publish = { a, v, .ahead = can_go_ahead(&v->index) } };
	bool unknown = false;
	struct err found = { 0 };

	/* finish slow work before the transaction locks the rows of quotas, for which other publishes wait */
	if (v->has_quota && (ask_caller(v, err) == -1 || blob_stage_keep(v->blob, err) == -1))
		return -1;
	for (int attempt = 1; db_transaction(db, publish_body, &look.publish, &unknown, err) == -1;
	     attempt++) {
		if (look.publish.raced) {
			look.publish.raced = look.publish.ahead = false;
			err_clear(err);
			continue;
		}
		if (!unknown)
			return -1;
		look.looked = look.happened = false;
		err_clear(&found);
		if (db_transaction(db, look_body, &look, &unknown, &found) == -1 &&
		    (!look.looked || (!look.happened && attempt == COMMITS_MAX)))
			return err_context(err, "%s",
			    found.detail[0] != '\0' ? found.detail : found.pub);
		err_clear(err);
		if (look.happened)
			return 0;
	}
	return 0;
}

struct yank {
	struct arena *arena;
	const struct version_yank *yank;
};

/* The row of version_find is as it should be; a yank that has nothing to say takes back nothing. */
static bool
is_so_already(const struct db_result *r, const struct version_yank *y)
{
	enum { COLUMNS_VERSION_FIND };

	if (db_bool(r, 0, YANKED) != y->yanked)
		return false;
	return y->message == NULL || (!db_is_null(r, 0, MESSAGE) &&
	    strcmp(db_str(r, 0, MESSAGE), y->message) == 0);
}

static int
yank_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_VERSION_FIND };
	enum { FIND, OWNER, PROTECTION, NASKED };
	enum { SET, AUDIT, REBUILD };
	const struct yank *yank = arg;
	const struct version_yank *y = yank->yank;
	struct audit_event event = {
		.action = y->yanked ? AUDIT_CRATE_YANK : AUDIT_CRATE_UNYANK,
		.project_id = y->project_id,
		.facts = { { "message", y->message, false } },
	};
	struct arena *a = yank->arena;
	struct db_call calls[REBUILD + INDEX_REBUILD_CALLS] = { 0 };
	struct db_call asked[NASKED] = { { .stmt = STMT_VERSION_FIND } };
	struct index_rebuild *rebuild;
	const struct db_result *r = &asked[FIND].result;
	struct slice line;
	const char *normalized = crate_name_normalize(a, slice_str(y->name));
	const char *name;
	int64_t crate_id;

	if (crate_find_locked(db, a, y->project_id, y->name, normalized, &crate_id, &name, err) ==
	        -1 ||
	    token_limits_check(&y->limits, TOKEN_YANK, name, err) == -1)
		return -1;
	db_bind_int(&asked[FIND].params, crate_id);
	db_bind_str(&asked[FIND].params, y->version_base);
	owner_check_call(&asked[OWNER], y->project_id, normalized, y->crate_user);
	protection_call(&asked[PROTECTION], y->project_id, normalized, y->push_level);
	if (db_run(db, a, asked, NASKED, err) == -1 ||
	    owner_check_judge(&asked[OWNER], err) == -1)
		return -1;
	if (r->rows == 0)
		return err_set(err, 404, "crate `%s` does not have a version `%s`", name, y->version_base);
	if (protection_judge(&asked[PROTECTION], err) == -1)
		return -1;
	if (is_so_already(r, y)) {
		db_found_done(db);
		return 0;
	}
	if (index_line_set_yanked(a, db_slice(r, 0, LINE), y->yanked, &line, err) == -1)
		return -1;
	calls[SET].stmt = STMT_VERSION_SET_YANKED;
	db_bind_int(&calls[SET].params, db_int(r, 0, ID));
	db_bind_bool(&calls[SET].params, y->yanked);
	db_bind_slice(&calls[SET].params, a, line);
	db_bind_str(&calls[SET].params, y->message);
	event.crate = name;
	event.version = db_str(r, 0, VERSION);
	audit_call(&calls[AUDIT], a, &y->actor, &event);
	rebuild = index_rebuild_begin(a, crate_id, &calls[REBUILD], err);
	if (rebuild == NULL || db_run(db, a, calls, REBUILD + INDEX_REBUILD_CALLS, err) == -1)
		return -1;
	return index_rebuild_end(rebuild, db, a, err);
}

int
version_set_yanked(struct db *db, struct arena *a, const struct version_yank *y, struct err *err)
{
	struct yank yank = { a, y };
	bool unknown = false;

	if (y->message != NULL && naming_check_text("message", y->message, err) == -1)
		return -1;
	/* it can be done twice: the second time finds what the first has done */
	for (int attempt = 1; db_transaction(db, yank_body, &yank, &unknown, err) == -1; attempt++) {
		if (!unknown || attempt == COMMITS_MAX)
			return -1;
		err_clear(err);
	}
	return 0;
}

void
version_blob_call(struct db_call *call, struct arena *a, int64_t project_id, struct slice name,
    struct slice version)
{
	call->stmt = STMT_VERSION_BLOB;
	db_bind_int(&call->params, project_id);
	db_bind_str(&call->params, crate_name_normalize(a, name));
	db_bind_slice(&call->params, a, name);
	db_bind_slice(&call->params, a, version);
}

void
version_blob_read(const struct db_call *call, struct version_blob *b)
{
	enum { COLUMNS_VERSION_BLOB };
	const struct db_result *r = &call->result;

	*b = (struct version_blob) { .found = r->rows == 1 };
	if (!b->found)
		return;
	b->version_id = db_int(r, 0, VERSION_ID);
	b->cksum = db_str(r, 0, CKSUM);
	b->size = db_int(r, 0, SIZE);
	b->crate_id = db_int(r, 0, CRATE_ID);
	b->project_id = db_int(r, 0, PROJECT_ID);
	b->is_listed = db_bool(r, 0, IS_LISTED);
}
