#include "store/package/version_check.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "crate/registry_url.h"
#include "store/package/owner.h"
#include "store/package/protection.h"
#include "store/package/quota.h"

/* The crates of the same registry that the package depends on, and that must be there. */
static const char **
own_dependencies(struct arena *a, const struct version_new *v, size_t *n)
{
	const struct package *pkg = v->package;
	const char **names = arena_calloc(a, pkg->ndeps, sizeof(*names));

	*n = 0;
	for (size_t i = 0; v->imported_from == NULL && i < pkg->ndeps; i++) {
		if (pkg->deps[i].registry == NULL)
			names[(*n)++] = pkg->deps[i].name;
	}
	return names;
}

static int
check_name_free(const struct version_new *v, time_t deleted_at, struct err *err)
{
	time_t free_at = deleted_at + (time_t)v->deleted_name_wait;
	char moment[CLOCK_RFC3339_SIZE];

	/* an import may publish with a time long ago */
	if (deleted_at == 0 || time(NULL) >= free_at)
		return 0;
	clock_rfc3339(free_at, moment);
	return err_set(err, 400,
	    "crate `%s` was recently deleted; its name will be available after %s",
	    v->package->name, moment);
}

static int
refuse_size(const struct version_new *v, const char *than, int64_t bytes, struct err *err)
{
	return err_set(err, 400,
	    "the index file of crate `%s` would have %s%" PRId64 " bytes with this version, and the limit is %"
	    PRId64 "; delete versions that nobody needs, or ask an administrator to raise max_index_size",
	    v->package->name, than, bytes, v->max_index_size);
}

int
version_check_size(const struct version_new *v, struct err *err)
{
	int64_t size = index_file_size(&v->index);

	/* its end tells a size that it does not have */
	if (index_file_is_damaged(&v->index))
		return 0;
	if (v->index_line.n > 0)
		return version_check_rendered(v, size + (int64_t)v->index_line.n + 1, err);
	return size < v->max_index_size ? 0 : refuse_size(v, "more than ", size, err);
}

int
version_check_rendered(const struct version_new *v, int64_t bytes, struct err *err)
{
	return bytes <= v->max_index_size ? 0 : refuse_size(v, "", bytes, err);
}

/* Why the version cannot be added, in the words of the database; NULL: it can. */
static int
judge_obstacle(const struct version_new *v, const char *obstacle, struct err *err)
{
	if (obstacle == NULL)
		return 0;
	if (strcmp(obstacle, "there") == 0)
		return err_set(err, 400, "crate version `%s` is already uploaded", v->version_base);
	if (strcmp(obstacle, "deleted") == 0)
		return err_set(err, 400,
		    "crate version `%s` was deleted; it can be restored, or published with the same "
		    "bytes once it is destroyed", v->version_base);
	return err_set(err, 400,
	    "crate version `%s` was deleted and cannot be published again with other bytes",
	    v->version_base);
}

int
version_check_bytes(const struct version_new *v, struct err *err)
{
	return v->buried == NULL || v->cksum == NULL || strcmp(v->buried, v->cksum) == 0
	    ? 0
	    : judge_obstacle(v, "buried", err);
}

static void
protection_check_call(struct db_call *calls, const struct version_new *v)
{
	protection_call(&calls[VERSION_CHECK_PROTECTION], v->project_id, v->normalized_name, v->push_level);
}

static void
look_call(struct db_call *calls, struct arena *a, const struct version_new *v)
{
	struct db_params *p = &calls[VERSION_CHECK_LOOK].params;
	size_t n;
	const char **names = own_dependencies(a, v, &n);

	calls[VERSION_CHECK_LOOK].stmt = STMT_VERSION_CHECK_NEW;
	db_bind_int(p, v->project_id);
	db_bind_str(p, v->package->name);
	db_bind_str(p, v->normalized_name);
	db_bind_str(p, v->version_base);
	db_bind_array(p, a, names, n);
	db_bind_id(p, v->crate_user);
}

void
version_check_calls(struct db_call *calls, struct arena *a, const struct version_new *v)
{
	protection_check_call(calls, v);
	look_call(calls, a, v);
}

size_t
version_check_again_calls(struct db_call *calls, struct arena *a, const struct version_new *v)
{
	size_t dependencies;

	protection_check_call(calls, v);
	(void)own_dependencies(a, v, &dependencies);
	if (dependencies == 0 && v->crate_user == 0)
		return VERSION_CHECK_LOOK;
	look_call(calls, a, v);
	return VERSION_CHECK_CALLS;
}

/* Is a crate missing on which the version depends? */
static int
judge_unknown(const struct db_result *r, struct err *err)
{
	enum { COLUMNS_VERSION_CHECK_NEW };

	return db_is_null(r, 0, UNKNOWN) ? 0 : err_set(err, 400,
	    "no known crate named `%s` in this registry; if it comes from the public registry, "
	    "send \"registry\": \"" REGISTRY_PUBLIC_URL "\" with that dependency",
	    db_str(r, 0, UNKNOWN));
}

int
version_check_again_judge(const struct db_call *calls, size_t n, const struct version_new *v, struct err *err)
{
	enum { COLUMNS_VERSION_CHECK_NEW };
	const struct db_result *r = &calls[VERSION_CHECK_LOOK].result;
	bool looked = n == VERSION_CHECK_CALLS;

	if (looked && v->crate_user != 0 && !db_bool(r, 0, IS_OWNER))
		return owner_refuse(err);
	if (protection_judge(&calls[VERSION_CHECK_PROTECTION], err) == -1)
		return -1;
	return looked ? judge_unknown(r, err) : 0;
}

static void
read_index(const struct db_result *r, struct version_new *v)
{
	enum { COLUMNS_VERSION_CHECK_NEW };

	v->index = (struct index_file) { .revision = db_int(r, 0, INDEX_REVISION),
		.last_line = db_str(r, 0, INDEX_LAST_LINE) };
	if (db_is_null(r, 0, INDEX_TAIL))
		return;
	v->index.bytes = db_int(r, 0, INDEX_BYTES);
	v->index.head = db_slice(r, 0, INDEX_HEAD);
	v->index.tail = db_slice(r, 0, INDEX_TAIL);
}

int
version_check_judge(struct db *db, const struct db_call *calls, struct version_new *v, struct err *err)
{
	enum { COLUMNS_VERSION_CHECK_NEW };
	const struct db_result *r = &calls[VERSION_CHECK_LOOK].result;
	bool is_new = db_bool(r, 0, IS_NEW);
	time_t deleted_at = (time_t)db_time(r, 0, DELETED_AT);

	if (v->crate_user != 0 && !db_bool(r, 0, IS_OWNER))
		return owner_refuse(err);
	if (protection_judge(&calls[VERSION_CHECK_PROTECTION], err) == -1 ||
	    token_limits_check(&v->limits, is_new ? TOKEN_PUBLISH_NEW : TOKEN_PUBLISH_UPDATE,
	        v->normalized_name, err) == -1)
		return -1;
	if (!db_is_null(r, 0, NAME) && strcmp(db_str(r, 0, NAME), v->package->name) != 0)
		return err_set(err, 400, "crate was previously named `%s`%s", db_str(r, 0, NAME), deleted_at == 0 ? "" :
		    "; you can use another spelling once Berth has destroyed its deleted versions");
	if (!db_is_null(r, 0, OBSTACLE))
		db_found_done(db);
	read_index(r, v);
	v->buried = db_str(r, 0, BURIED);
	v->there = db_str(r, 0, THERE);
	v->there_size = v->there != NULL ? db_int(r, 0, THERE_SIZE) : 0;
	v->needs_crate = is_new || deleted_at != 0;
	if (check_name_free(v, deleted_at, err) == -1 ||
	    judge_obstacle(v, db_str(r, 0, OBSTACLE), err) == -1 ||
	    version_check_bytes(v, err) == -1 ||
	    version_check_size(v, err) == -1)
		return -1;
	return judge_unknown(r, err);
}

void
version_check_quota(const struct version_new *v, int64_t need[QUOTA__MAX])
{
	need[QUOTA_BYTES] = v->size;
	need[QUOTA_VERSIONS] = 1;
	need[QUOTA_CRATES] = v->needs_crate;
}

void
version_check_early_calls(struct db_call *calls, struct arena *a, const struct version_new *v)
{
	version_check_calls(calls, a, v);
	quota_look_call(&calls[VERSION_CHECK_CALLS], v->project_id, v->size, v->normalized_name);
}

int
version_check_early_judge(struct db *db, const struct db_call *calls, struct version_new *v, struct err *err)
{
	int64_t need[QUOTA__MAX];

	if (version_check_judge(db, calls, v, err) == -1)
		return -1;
	version_check_quota(v, need);
	v->has_quota = calls[VERSION_CHECK_CALLS].result.rows > 0;
	return quota_judge(&calls[VERSION_CHECK_CALLS], need, err);
}
