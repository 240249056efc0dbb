#include "store/backup/backup_restore.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/fault.h"
#include "store/backup/backup_copy.h"
#include "store/backup/backup_list.h"
#include "store/backup/backup_tool.h"
#include "store/backup/backup_verify.h"
#include "store/blob/blob.h"
#include "store/blob/store_file.h"
#include "store/db/db.h"
#include "store/db/migrations.h"

enum { PROBE_MS = 10000, MARK_SIZE = 32 };

/* What a store has before its first use. */
static bool
may_be_there(const char *name)
{
	static const char *const names[] = { "lost+found", BLOB_STAGING, BLOB_TRASH, STORE_NODES };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static int
not_empty(const struct backup_restore *r, const char *what, struct err *err)
{
	return err_set(err, 409, "the store %s is not empty: it has %s; move the store away, and make an empty one",
	    r->store->name, what);
}

/* A store that is a directory must be empty. */
static int
check_directory(const struct backup_restore *r, bool begun, struct err *err)
{
	const char *dir = r->store->dir;
	DIR *d = opendir(dir);
	const char *name;
	int more = 0, rc = 0;

	if (d == NULL && errno == ENOENT)
		return err_set(err, 409,
		    "the store %s does not exist; make it for the pool's user: install -d -o berth "
		    "-g berth-store -m 2750 %s",
		    dir, dir);
	if (d == NULL)
		return err_sys(err, "open %s", dir);
	while (!begun && !r->store->kind->copies && rc == 0 && (more = disk_next_name(d, &name)) == 1) {
		if (!may_be_there(name))
			rc = not_empty(r, name, err);
	}
	if (more == -1)
		rc = err_sys(err, "read %s", dir);
	closedir(d);
	return rc;
}

static int
refuse_one(void *arg, const struct blob_entry *e, struct err *err)
{
	return not_empty(arg, e->name, err);
}

/* A bucket may have other objects, but none with Berth's names. */
static int
check_objects(struct backup_restore *r, struct err *err)
{
	char id[MARK_SIZE];
	int found = store_file_read(r->store, STORE_ID_FILE, id, sizeof(id), err);

	if (found != 0)
		return found == 1 ? not_empty(r, STORE_ID_FILE, err) : -1;
	return r->store->kind->list(r->store, "", refuse_one, r, err);
}

/* *begun: the store has a part of this backup. */
static int
check_store(struct backup_restore *r, bool *begun, struct err *err)
{
	char mark[MARK_SIZE];
	int found = access(r->store->dir, F_OK) == 0
	    ? store_file_read(r->store, STORE_RESTORE_FILE, mark, sizeof(mark), err) : 0;

	if (found == -1)
		return -1;
	if (found == 1 && strcmp(mark, r->manifest.name) != 0)
		return err_set(err, 409,
		    "the store %s has a part of the backup %s: restore that one, or empty the store",
		    r->store->name, mark);
	*begun = found == 1;
	if (check_directory(r, *begun, err) == -1)
		return -1;
	return r->store->kind->copies && found == 0 ? check_objects(r, err) : 0;
}

static int
check_database(const struct backup_restore *r, bool begun, struct err *err)
{
	struct db *db = db_new(r->conninfo, PROBE_MS);
	struct err why = { 0 };
	enum db_schema schema;
	bool connected;

	db_prepare_late(db);
	connected = db_connect(db, &why) == 0;
	schema = db_schema(db);
	db_free(db);
	if (!connected && schema == DB_SCHEMA_MISSING)
		return 0;
	if (connected || schema == DB_SCHEMA_OLD || schema == DB_SCHEMA_NEW)
		return err_set(err, 409,
		    "the database is not empty: it has the tables of a registry; %skeep it under another "
		    "name (ALTER DATABASE ... RENAME TO ...), and restore into a new one (--create)", begun ?
		    "if they are from this restore, which was interrupted, drop the database, and run the command "
		    "again; else " : "");
	*err = why;
	return err_context(err, "if the database does not exist, --create makes it");
}

int
backup_restore_check(struct arena *a, struct backup_restore *r, struct err *err)
{
	bool begun = false;

	if (r->manifest.schema > migrations_newest())
		return err_set(err, 409,
		    "the backup has migration %" PRId64 ", and this program has %" PRId64 ": install "
		    "Berth %s or newer",
		    r->manifest.schema, migrations_newest(), r->manifest.program);
	if (check_store(r, &begun, err) == -1 || check_database(r, begun, err) == -1)
		return -1;
	return backup_verify_files(a, r->target, &r->manifest, err);
}

static int
copy_blobs(struct arena *a, struct backup_restore *r, struct backup_copy *copy, struct err *err)
{
	struct arena *piece = arena_new();
	struct backup_list list;
	struct backup_blob blob;
	int rc = backup_list_open(a, r->target, &r->manifest, &list, err), more = -1;

	while (rc == 0 && (more = backup_list_next(&list, &blob, err)) == 1) {
		bool good = false;

		rc = backup_copy_add_missing(piece, copy, r->target->blobs, blob_path(piece, blob.sha256), blob.sha256,
		    blob.size, &good, err);
		r->missing += !good;
		arena_reset(piece);
	}
	arena_free(piece);
	return rc == -1 || more == -1 ? -1 : backup_copy_end(a, copy, err);
}

static int
fill_store(struct arena *a, struct backup_restore *r, struct err *err)
{
	static const char *const dirs[] = { BLOB_TRASH, STORE_NODES };
	struct backup_copy *copy;

	if (backup_copy_to_store(a, r->store, &copy, err) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		if (backup_copy_dir(copy, arena_printf(a, "%s/%s", r->store->dir, dirs[i]), err) == -1)
			return -1;
	}
	if (store_file_write(r->store, STORE_RESTORE_FILE, r->manifest.name, true, err) == -1 ||
	    copy_blobs(a, r, copy, err) == -1)
		return -1;
	backup_copy_count(copy, &r->blobs, &r->bytes);
	return 0;
}

static int
fill_database(struct arena *a, const struct backup_restore *r, struct err *err)
{
	const char *words[] = { "pg_restore", "--exit-on-error", "--single-transaction", "--no-owner",
		"--no-password", r->rights ? NULL : "--no-acl", NULL };
	int fd, rc;

	if (backup_target_open(r->target, a, arena_printf(a, "%s.dump", r->manifest.name),
		r->manifest.dump_bytes, &fd, err) == -1)
		return -1;
	rc = backup_tool_run(a, words, r->conninfo, fd, false, BACKUP_TOOL_RIGHTS, err);
	close(fd);
	return rc;
}

int
backup_restore_run(struct arena *a, struct backup_restore *r, struct err *err)
{
	if (fill_store(a, r, err) == -1)
		return -1;
	FAULT_POINT("restore", "filled");
	return fill_database(a, r, err);
}

int
backup_restore_end(struct arena *a, const struct backup_restore *r, struct err *err)
{
	return r->store->kind->remove(r->store, a, STORE_RESTORE_FILE, err);
}
