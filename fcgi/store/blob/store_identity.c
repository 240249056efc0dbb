#include "store/blob/store_identity.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/blob/blob.h"
#include "store/blob/store_file.h"

/* The time before a store without an id is examined again. */
enum { LOOK_US = 5 * CLOCK_SECOND };

static int __attribute__((format(printf, 2, 3)))
refuse(struct err *err, const char *fmt, ...)
{
	char why[ERR_DETAIL_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	err_internal(err, 503, "%s", why);
	return err_tell(err, "this host's store is not the registry's store: it takes no publish and "
	    "serves no download until an administrator has corrected `store` or `database` of this host");
}

/* The disk's own error stays in the log. */
static int
tell_away(struct err *err)
{
	const struct err disk = *err;

	err_internal(err, 503, "%s", disk.detail);
	return err_tell(err, "this host's store is missing or cannot be read: it takes no publish and serves no "
	    "download until it is back");
}

int
store_identity_registry(struct db *db, struct arena *a, struct store_identity *identity,
    struct err *err)
{
	enum { COLUMNS_REGISTRY_ID };
	struct db_result r;

	if (db_connect(db, err) == -1)
		return -1;
	if (identity->registry[0] != '\0' && identity->connection == db_connections(db))
		return 0;
	identity->connection = db_connections(db);
	identity->registry[0] = '\0';
	if (db_exec(db, a, STMT_REGISTRY_ID, NULL, &r, err) == -1)
		return -1;
	if (r.rows != 1)
		return err_internal(err, 500, "database: the table registry must have one row");
	snprintf(identity->registry, sizeof(identity->registry), "%s", db_str(&r, 0, ID));
	return 0;
}

static int
find_one(void *arg, const struct blob_entry *e, struct err *err)
{
	bool *found = arg;

	(void)e;
	(void)err;
	*found = true;
	return 1;
}

static int
store_has_blobs(const struct blob_store *store, bool *found, struct err *err)
{
	*found = false;
	if (store->kind->list(store, "", find_one, found, err) == -1)
		return -1;
	return *found ? 0 : store->kind->list(store, BLOB_TRASH, find_one, found, err);
}

/* The facts by which database and store are judged. */
struct knowledge {
	bool restoring; /* the store has a part of a backup */
	bool adopted; /* the database has been with a store that had the id */
	bool database; /* the database has blobs */
	bool store; /* the store has blobs */
	bool common; /* both have one blob at least */
};

static int
look(struct db *db, struct arena *a, const struct blob_store *store, struct knowledge *k, struct err *err)
{
	enum { COLUMNS_STORE_KNOWN };
	char backup[2];
	struct db_result r;
	int begun = store_file_read(store, STORE_RESTORE_FILE, backup, sizeof(backup), err);

	if (begun == -1 || db_exec(db, a, STMT_STORE_KNOWN, NULL, &r, err) == -1)
		return -1;
	*k = (struct knowledge) { .restoring = begun == 1 };
	if (store_has_blobs(store, &k->store, err) == -1)
		return -1;
	for (int i = 0; i < r.rows; i++) {
		struct blob_stat st;
		int there;

		k->adopted = db_bool(&r, i, ADOPTED);
		if (db_is_null(&r, i, SHA256))
			continue;
		k->database = true;
		there = store->kind->stat(store, a, blob_path(a, db_str(&r, i, SHA256)), &st, err);
		if (there == -1)
			return -1;
		k->common = k->common || there == 1;
	}
	return 0;
}

/* Judges a store without an id.  "": it may be used; else why not. */
static const char *
judge(const struct knowledge *k)
{
	if (k->restoring)
		return "has a part of a backup: `berth restore` was interrupted; drop the database, and run it again";
	if (k->adopted)
		return "has no " STORE_ID_FILE ", but the database has been with a store that has one: is "
		       "it mounted, and is `store` of berth.conf right?";
	if (k->database && !k->store)
		return "is empty, but the database knows blobs: is it mounted, and is `store` of berth.conf "
		       "right?";
	if (!k->database && k->store)
		return "has blobs and no " STORE_ID_FILE ", and no version of the database has a blob: "
		       "they do not belong together; see `berth store adopt --dry-run`";
	if (k->database && !k->common)
		return "has no " STORE_ID_FILE ", and the blobs of the database are not in it: they do not "
		       "belong together; see `berth store adopt --dry-run`";
	return "";
}

static int
claim_store(struct db *db, struct arena *a, struct store_identity *identity, const struct blob_store *store,
    struct err *err)
{
	int wrote;

	if (store->kind->check(store, err) == -1)
		return -1;
	wrote = store_file_write(store, STORE_ID_FILE, identity->registry, false, err);
	if (wrote == -1 || db_exec(db, a, STMT_STORE_BEGIN, NULL, NULL, err) == -1)
		return -1;
	identity->adopted = wrote == 1;
	/* another process was faster, perhaps of another registry */
	return wrote == 1 ? 0 : store_identity_check(db, a, identity, store, false, err);
}

static int
check_unnamed(struct db *db, struct arena *a, struct store_identity *identity, const struct blob_store *store,
    bool claim, struct err *err)
{
	struct knowledge k;

	identity->adopted = false;
	if (clock_us() >= identity->until_us) {
		if (look(db, a, store, &k, err) == -1)
			return -1;
		snprintf(identity->refusal, sizeof(identity->refusal), "%s", judge(&k));
		if (identity->refusal[0] == '\0' && !k.database && !k.store)
			return claim ? claim_store(db, a, identity, store, err) : 0;
		identity->until_us = clock_us() + LOOK_US;
	}
	if (identity->refusal[0] != '\0')
		return refuse(err, "store %s %s", store->name, identity->refusal);
	return 0;
}

int
store_identity_check(struct db *db, struct arena *a, struct store_identity *identity,
    const struct blob_store *store, bool claim, struct err *err)
{
	char id[REGISTRY_ID_SIZE + 1];
	int found;
	uint64_t connection = identity->connection;

	if (store_identity_registry(db, a, identity, err) == -1)
		return -1;
	if (identity->adopted && connection == identity->connection && clock_us() < identity->remembered_us)
		return 0;
	found = store_file_read(store, STORE_ID_FILE, id, sizeof(id), err);
	/* an object store that is away says so itself */
	if (found == -1 && err->status == 503)
		return -1;
	if (found == -1)
		return tell_away(err);
	if (found == 0)
		return check_unnamed(db, a, identity, store, claim, err);
	identity->adopted = strcmp(id, identity->registry) == 0;
	if (!identity->adopted)
		return refuse(err, "store %s belongs to the registry %s, but the database is the registry "
		    "%s: correct `store` or `database` of berth.conf, or see `berth store adopt`", store->name, id,
		    identity->registry);
	identity->remembered_us = clock_us() + store->kind->remember_us;
	return 0;
}

int
store_identity_check_adopted(struct db *db, struct arena *a, struct store_identity *identity,
    const struct blob_store *store, struct err *err)
{
	if (store_identity_check(db, a, identity, store, true, err) == -1)
		return -1;
	if (!identity->adopted)
		return refuse(err, "store %s has no " STORE_ID_FILE " yet: nothing is removed from it until "
		    "an administrator has run `berth store adopt`", store->name);
	return 0;
}

int
store_identity_test(struct db *db, struct arena *a, const struct blob_store *store, char *warning,
    size_t size,
    struct err *err)
{
	struct store_identity identity = { 0 };
	int rc = 0;

	warning[0] = '\0';
	if (store->kind->copies || access(store->dir, F_OK) == 0)
		rc = store_identity_check(db, a, &identity, store, false, err);
	/* a new store gets its id at its first use */
	if (rc == 0 && identity.until_us != 0)
		snprintf(warning, size, "store %s has no " STORE_ID_FILE " yet: nothing is removed from it until "
		    "an administrator has run `berth store adopt`", store->name);
	return rc;
}
