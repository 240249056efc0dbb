#include "store/package/version_delete.h"

#include "crate/crate_name.h"
#include "store/package/index_rebuild.h"
#include "store/package/quota.h"

struct change {
	struct arena *arena;
	const struct version_change *asked; /* but for the version */
	const int64_t *ids; /* versions of one crate */
	size_t n;
	bool undo;
};

/* What is deleted is given back, and what comes back has to find room. */
static int
charge(struct db *db, const struct change *change, int64_t size, bool first_or_last, struct err *err)
{
	int64_t sign = change->undo ? 1 : -1;
	const int64_t need[QUOTA__MAX] = {
		[QUOTA_BYTES] = sign * size,
		[QUOTA_VERSIONS] = sign * (int64_t)change->n,
		[QUOTA_CRATES] = first_or_last ? sign : 0,
	};
	struct db_call call = { .stmt = STMT__MAX };

	quota_charge_call(&call, change->asked->project_id, need);
	if (db_run(db, change->arena, &call, 1, err) == -1)
		return -1;
	return quota_judge(&call, need, err);
}

static int
change_one(struct db *db, struct arena *a, const struct change *change, int64_t version_id,
    struct version_locked *found, struct err *err)
{
	enum { STATUS, BURY, AUDIT, NCALLS };
	struct version_change asked = *change->asked;
	struct db_call calls[NCALLS] = { 0 };
	struct audit_event event = {
		.action = change->undo ? AUDIT_CRATE_UNDELETE : AUDIT_CRATE_DELETE,
		.project_id = asked.project_id,
		.id_key = "version_id",
		.id = version_id,
		.facts = { { "why", asked.why, false } },
	};

	asked.version_id = version_id;
	if (version_lock(db, a, &asked, change->undo, found, err) == -1)
		return -1;
	calls[STATUS].stmt = change->undo ? STMT_VERSION_UNDELETE : STMT_VERSION_DELETE;
	db_bind_int(&calls[STATUS].params, version_id);
	/* of one that comes back the tombstone is there, and stays: it has the same bytes */
	calls[BURY].stmt = STMT_VERSION_BURY;
	db_bind_int(&calls[BURY].params, found->crate_id);
	db_bind_str(&calls[BURY].params, found->version_base);
	db_bind_str(&calls[BURY].params, found->cksum);
	event.crate = found->name;
	event.version = found->version;
	audit_call(&calls[AUDIT], a, &asked.actor, &event);
	return db_run(db, a, calls, NCALLS, err);
}

/* *size: of all versions. */
static int
change_all(struct db *db, const struct change *change, struct version_locked *found, int64_t *size,
    struct err *err)
{
	struct arena *one = arena_new();
	int rc = 0;

	*size = 0;
	for (size_t i = 0; rc == 0 && i < change->n; i++) {
		/* what is known of the crate comes with the first version, and stays */
		rc = change_one(db, i == 0 ? change->arena : one, change, change->ids[i], found, err);
		*size += found->size;
		arena_reset(one);
	}
	arena_free(one);
	return rc;
}

/* Is the crate as it was judged?  It is locked, so it stays as it is. */
static int
check_kept(struct db *db, const struct change *change, struct err *err)
{
	enum { COLUMNS_VERSION_KEPT };
	struct db_call call = { .stmt = STMT_VERSION_KEPT };

	if (change->asked->kept_id == 0)
		return 0;
	db_bind_int(&call.params, change->asked->kept_id);
	db_bind_bool(&call.params, change->asked->kept_yanked);
	db_bind_ids(&call.params, change->arena, change->asked->yanked, change->asked->nyanked);
	if (db_run(db, change->arena, &call, 1, err) == -1)
		return -1;
	return db_bool(&call.result, 0, IS_KEPT) ? 0 : err_set(err, 404, "the crate has changed meanwhile");
}

static int
change_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_VERSION_LEFT };
	enum { LEFT, REBUILD };
	const struct change *change = arg;
	struct arena *a = change->arena;
	struct db_call calls[REBUILD + INDEX_REBUILD_CALLS] = { 0 };
	struct index_rebuild *rebuild;
	struct version_locked found = { 0 };
	int64_t size;
	bool empty_now;

	if (change_all(db, change, &found, &size, err) == -1 || check_kept(db, change, err) == -1)
		return -1;
	calls[LEFT].stmt = STMT_VERSION_LEFT;
	db_bind_int(&calls[LEFT].params, found.crate_id);
	rebuild = index_rebuild_begin(a, found.crate_id, &calls[REBUILD], err);
	if (rebuild == NULL || db_run(db, a, calls, REBUILD + INDEX_REBUILD_CALLS, err) == -1)
		return -1;
	empty_now = !db_bool(&calls[LEFT].result, 0, HAS_VERSIONS);
	if (charge(db, change, size, found.crate_empty != empty_now, err) == -1)
		return -1;
	return index_rebuild_end(rebuild, db, a, err);
}

static int
change(struct db *db, const struct change *change, struct err *err)
{
	struct change arg = *change;
	bool unknown;

	/* a lost answer to COMMIT is a 503: whoever asks again hears 404 where it happened */
	return db_transaction(db, change_body, &arg, &unknown, err);
}

int
version_delete(struct db *db, struct arena *a, const struct version_change *asked, struct err *err)
{
	return change(db, &(struct change) { a, asked, &asked->version_id, 1, false }, err);
}

int
version_delete_some(struct db *db, struct arena *a, const struct version_change *asked, const int64_t *ids,
    size_t n, struct err *err)
{
	return change(db, &(struct change) { a, asked, ids, n, false }, err);
}

int
version_undelete_some(struct db *db, struct arena *a, const struct version_change *asked, const int64_t *ids,
    size_t n, struct err *err)
{
	return change(db, &(struct change) { a, asked, ids, n, true }, err);
}

int
version_destroy(struct db *db, struct arena *a, int64_t grace, int64_t *n, struct err *err)
{
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_int(&p, grace);
	if (db_exec(db, a, STMT_VERSION_DESTROY, &p, &r, err) == -1)
		return -1;
	*n = r.affected;
	return 0;
}

int
version_find_named(struct db *db, struct arena *a, const char *project_path, const char *crate,
    const char *version_base, struct version_named **out, size_t *n, struct err *err)
{
	enum { COLUMNS_VERSION_FIND_NAMED };
	struct db_params p = { .n = 0 };
	struct db_result r;

	db_bind_str(&p, project_path);
	db_bind_str(&p, crate_name_normalize(a, slice_str(crate)));
	db_bind_str(&p, version_base);
	if (db_exec(db, a, STMT_VERSION_FIND_NAMED, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 404, "project `%s` does not exist", project_path);
	if (db_is_null(&r, 0, CRATE))
		return err_set(err, 404, "crate `%s` does not exist", crate);
	if (db_is_null(&r, 0, VERSION_ID))
		return err_set(err, 404, "crate `%s` does not have %s%s%s", db_str(&r, 0, CRATE),
		    version_base != NULL ? "a version `" : "any version",
		    version_base != NULL ? version_base : "", version_base != NULL ? "`" : "");
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct version_named) {
			.project_id = db_int(&r, i, PROJECT_ID),
			.crate_id = db_int(&r, i, CRATE_ID),
			.crate = db_str(&r, i, CRATE),
			.version_id = db_int(&r, i, VERSION_ID),
			.version = db_str(&r, i, VERSION),
			.size = db_int(&r, i, SIZE),
			.deleted = db_bool(&r, i, DELETED),
		};
	return 0;
}
