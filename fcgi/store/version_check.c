#include "store/version_check.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "store/owner.h"
#include "store/protection.h"
#include "store/quota.h"

/* The crates of the same registry that the package depends on. */
static const char **
own_dependencies(struct arena *a, const struct package *pkg, size_t *n)
{
	const char **names = arena_calloc(a, pkg->ndeps, sizeof(*names));

	*n = 0;
	for (size_t i = 0; i < pkg->ndeps; i++) {
		if (pkg->deps[i].registry == NULL)
			names[(*n)++] = pkg->deps[i].name;
	}
	return names;
}

int
version_check_limits(const struct version_new *v, bool is_new, struct err *err)
{
	return token_limits_check(&v->limits, is_new ? TOKEN_PUBLISH_NEW : TOKEN_PUBLISH_UPDATE,
	    v->normalized_name, err);
}

int
version_check_name_free(const struct version_new *v, time_t deleted_at, struct err *err)
{
	time_t free_at = deleted_at + (time_t)v->deleted_name_wait;
	char moment[CLOCK_RFC3339_SIZE];

	if (deleted_at == 0 || v->published_at >= free_at)
		return 0;
	clock_rfc3339(free_at, moment);
	return err_set(err, 400,
	    "crate `%s` was recently deleted; its name will be available after %s",
	    v->package->name, moment);
}

int
version_check_index_size(const struct version_new *v, int64_t size, struct err *err)
{
	bool known = v->index_line.n > 0;
	int64_t more = known ? size + (int64_t)v->index_line.n + 1 : size;

	if (more <= v->max_index_size - !known)
		return 0;
	return err_set(err, 400,
	    "the index file of crate `%s` would have %s%" PRId64 " bytes with this version, and at most %"
	    PRId64 " are taken: delete versions that nobody needs, or set a larger max_index_size in "
	    "berth.conf", v->package->name, known ? "" : "more than ", more, v->max_index_size);
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
version_refuse(struct db *db, struct arena *a, const struct version_new *v, int64_t crate_id,
    struct err *err)
{
	struct db_params p = { .n = 0 };
	struct db_result r;
	const char *obstacle;

	db_bind_int(&p, crate_id);
	db_bind_str(&p, v->version_base);
	db_bind_str(&p, v->cksum);
	if (db_exec(db, a, STMT_VERSION_OBSTACLE, &p, &r, err) == -1)
		return -1;
	obstacle = db_str(&r, 0, 0);
	db_found_done(db);
	return judge_obstacle(v, obstacle != NULL ? obstacle : "there", err);
}

int
version_check_bytes(const struct version_new *v, struct err *err)
{
	return v->buried == NULL || strcmp(v->buried, v->cksum) == 0 ? 0
	                                                             : judge_obstacle(v, "buried", err);
}

int
version_check_new(struct db *db, struct arena *a, struct version_new *v, struct err *err)
{
	enum { NAME, OBSTACLE, UNKNOWN, DELETED_AT, BURIED, INDEX_SIZE };
	enum { LOOK, OWNER, PROTECTION, QUOTA, NCALLS };
	struct db_call calls[NCALLS] = { { .stmt = STMT_VERSION_CHECK_NEW } };
	int64_t need[QUOTA__MAX] = { [QUOTA_BYTES] = v->size, [QUOTA_VERSIONS] = 1 };
	struct db_params *p = &calls[LOOK].params;
	const struct db_result *r = &calls[LOOK].result;
	size_t n;
	const char **names = own_dependencies(a, v->package, &n);

	db_bind_int(p, v->project_id);
	db_bind_str(p, v->package->name);
	db_bind_str(p, v->normalized_name);
	db_bind_str(p, v->version_base);
	db_bind_array(p, a, names, n);
	owner_check_call(&calls[OWNER], v->project_id, v->normalized_name, v->crate_user);
	protection_call(&calls[PROTECTION], v->project_id, v->normalized_name, v->push_level);
	quota_look_call(&calls[QUOTA], v->project_id, v->size, v->normalized_name);
	if (db_run(db, a, calls, NCALLS, err) == -1 ||
	    owner_check_judge(&calls[OWNER], err) == -1 ||
	    protection_judge(&calls[PROTECTION], err) == -1)
		return -1;
	if (version_check_limits(v, db_is_null(r, 0, NAME), err) == -1)
		return -1;
	if (!db_is_null(r, 0, NAME) && strcmp(db_str(r, 0, NAME), v->package->name) != 0)
		return err_set(err, 400, "crate was previously named `%s`", db_str(r, 0, NAME));
	if (!db_is_null(r, 0, OBSTACLE))
		db_found_done(db);
	if (version_check_name_free(v, (time_t)db_time(r, 0, DELETED_AT), err) == -1 ||
	    judge_obstacle(v, db_str(r, 0, OBSTACLE), err) == -1 ||
	    version_check_index_size(v, db_int(r, 0, INDEX_SIZE), err) == -1)
		return -1;
	if (!db_is_null(r, 0, UNKNOWN))
		return err_set(err, 400, "no known crate named `%s`", db_str(r, 0, UNKNOWN));
	v->buried = db_str(r, 0, BURIED);
	need[QUOTA_CRATES] = db_is_null(r, 0, NAME) || db_time(r, 0, DELETED_AT) != 0;
	return quota_judge(&calls[QUOTA], need, err);
}
