#include "store/backup/backup_take.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "store/backup/backup_copy.h"
#include "store/backup/backup_list.h"
#include "store/backup/backup_tool.h"
#include "store/blob/blob.h"
#include "store/blob/blob_dir.h"
#include "store/blob/blob_needed.h"

enum { LOCK_TRIES = 50, LOCK_MS = 100 };

struct taking {
	struct arena *arena;
	struct backup_task *task;
	uint64_t session; /* the connection that has the lock */
	const char *list_file, *dump_file;
	FILE *list; /* NULL: closed */
	int dump;
};

static int
lock_collector(struct taking *t, struct err *err)
{
	enum { COLUMNS_BACKUP_LOCK };
	struct db *db = t->task->db;
	struct db_result r;

	/* a collection holds it for a moment only, a backup for long */
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (db_exec(db, t->arena, STMT_BACKUP_LOCK, NULL, &r, err) == -1)
			return -1;
		t->session = db_connections(db);
		if (db_bool(&r, 0, LOCKED))
			return 0;
		(void)poll(NULL, 0, LOCK_MS);
	}
	return err_set(err, 409, "another backup of this registry runs; wait until it has ended");
}

/*
 * Has it been there all the time?  It ends with its session, as in a failover: then a collection may have
 * removed blobs that were to be copied, and another backup may have cleared away what this one has written.
 */
static int
check_lock(struct taking *t, struct err *err)
{
	struct db *db = t->task->db;
	struct err away = { 0 };

	if (db_exec(db, t->arena, STMT_BACKUP_LOCK, NULL, NULL, &away) == 0 && db_connections(db) == t->session)
		return 0;
	return err_internal(err, 503, "the backup has failed: the database has ended the session that keeps "
	    "collections and other backups out; run the command again, which goes on with what is copied");
}

/*
 * Is the newest backup of another database with the same id?  A restore makes such a database, and joins it
 * with its store.  Backups that the original database made before that count as its own.
 */
static bool
is_of_another(const struct backup_manifest *m, const struct backup_manifest *newest)
{
	return newest->adopted_at != NULL && strcmp(newest->adopted_at, m->adopted_at) != 0 &&
	       strcmp(newest->name, m->adopted_at) > 0;
}

/* Backups of one registry share their blobs; those of two would hide which is which. */
static int
check_registry(struct taking *t, struct err *err)
{
	struct backup_manifest *m = &t->task->manifest, other;
	const char **names;
	size_t n;

	if (backup_names(t->arena, t->task->target, &names, &n, err) == -1)
		return -1;
	if (n == 0)
		return 0;
	if (backup_manifest_read(t->arena, t->task->target, names[n - 1], &other, err) == -1)
		return -1;
	if (strcmp(names[n - 1], m->name) >= 0)
		return err_set(err, 409, "%s has a backup of %s, and by the clock of the database's host it is only %s: "
		    "set that clock", t->task->target->name, other.created_at, m->created_at);
	if (strcmp(other.registry, m->registry) != 0)
		return err_set(err, 409, "%s has backups of the registry %s, and the database is the registry %s: use "
		    "another target", t->task->target->name, other.registry, m->registry);
	if (!is_of_another(m, &other))
		return 0;
	return err_set(err, 409, "%s has a backup of %s by another database with the id of this registry, such as "
	    "the original of a restored one: use another target, or move that backup elsewhere if that database no "
	    "longer exists",
	    t->task->target->name, other.created_at);
}

static int
read_snapshot(struct db *db, struct taking *t, const char **snapshot, struct err *err)
{
	enum { COLUMNS_BACKUP_SNAPSHOT };
	struct db_result r;

	if (db_exec(db, t->arena, STMT_BACKUP_BEGIN, NULL, NULL, err) == -1 ||
	    db_exec(db, t->arena, STMT_BACKUP_SNAPSHOT, NULL, &r, err) == -1)
		return -1;
	*snapshot = db_str(&r, 0, SNAPSHOT);
	t->task->manifest = (struct backup_manifest){
		.name = db_str(&r, 0, NAME),
		.registry = db_str(&r, 0, REGISTRY),
		.created_at = db_str(&r, 0, CREATED_AT),
		.adopted_at = db_str(&r, 0, ADOPTED_AT),
		.program = BERTH_VERSION,
		.schema = db_int(&r, 0, NEWEST),
		.versions = db_int(&r, 0, VERSIONS),
	};
	return 0;
}

/* Call it at once, as the cause is in errno. */
static int
list_failed(const struct taking *t, struct err *err)
{
	return err_disk(err, "write the list of blobs to %s", t->task->target->name);
}

static int
list_one(void *arg, struct arena *a, const char *sha256, int64_t size, struct err *err)
{
	const struct taking *t = arg;

	(void)a;
	t->task->manifest.blobs++;
	t->task->manifest.blob_bytes += size;
	return fprintf(t->list, "%s %" PRId64 "\n", sha256, size) < 0 ? list_failed(t, err) : 0;
}

static int
write_list(struct db *db, struct taking *t, struct err *err)
{
	if (blob_needed_each(db, list_one, t, err) == -1)
		return -1;
	return fflush(t->list) == EOF ? list_failed(t, err) : 0;
}

static int
dump(struct taking *t, const char *snapshot, struct err *err)
{
	/* a restore must not sign anybody in again */
	const char *words[] = { "pg_dump", "--format=custom", "--no-password",
		"--exclude-table-data=public.sessions", "--exclude-table-data=public.sign_in_links",
		arena_printf(t->arena, "--snapshot=%s", snapshot), NULL };

	return backup_tool_run(t->arena, words, t->task->conninfo, t->dump, true, BACKUP_TOOL_RIGHTS,
	    err);
}

static void
close_files(struct taking *t, bool kept)
{
	const struct backup_target *target = t->task->target;

	if (t->dump != -1 && !kept)
		target->kind->drop(target, t->arena, t->dump_file);
	blob_fd_close(&t->dump);
	if (t->list == NULL)
		return;
	if (!kept)
		target->kind->drop(target, t->arena, t->list_file);
	fclose(t->list);
	t->list = NULL;
}

/* In one snapshot: names, counts, the list of blobs, and the dump. */
static int
snapshot_body(struct db *db, void *arg, struct err *err)
{
	struct taking *t = arg;
	const struct backup_target *target = t->task->target;
	const char *snapshot;
	int fd;

	/* db runs this a second time if the connection was lost: then files are open */
	close_files(t, false);
	/* with the lock, and at a target of this registry, unfinished files are of a backup that has ended */
	if (read_snapshot(db, t, &snapshot, err) == -1 || check_registry(t, err) == -1 ||
	    target->kind->claim(target, t->arena, t->task->manifest.registry, err) == -1 ||
	    backup_clear(t->arena, target, err) == -1)
		return -1;
	t->list_file = arena_printf(t->arena, "%s.blobs", t->task->manifest.name);
	t->dump_file = arena_printf(t->arena, "%s.dump", t->task->manifest.name);
	if (target->kind->create(target, t->arena, t->dump_file, &t->dump, err) == -1 ||
	    target->kind->create(target, t->arena, t->list_file, &fd, err) == -1)
		return -1;
	t->list = fdopen(fd, "w");
	if (t->list == NULL) {
		close(fd);
		return err_sys(err, "open %s", t->list_file);
	}
	return write_list(db, t, err) == -1 ? -1 : dump(t, snapshot, err);
}

/*
 * Call it after the snapshot has ended: an upload takes long, and a snapshot keeps the database from cleaning
 * up.
 */
static int
keep_files(struct taking *t, struct err *err)
{
	const struct backup_target *target = t->task->target;
	struct backup_manifest *m = &t->task->manifest;
	int64_t size;

	return backup_keep(t->arena, target, t->list_file, fileno(t->list), m->blobs_sha256, &size, err) == -1 ||
		       backup_keep(t->arena, target, t->dump_file, t->dump, m->dump_sha256, &m->dump_bytes, err) == -1
		   ? -1
		   : 0;
}

static int
copy_one(struct arena *a, struct taking *t, struct backup_copy *copy, const struct backup_blob *blob,
    struct err *err)
{
	const struct blob_store *store = t->task->store;
	bool good;

	if (backup_copy_add_missing(a, copy, store, blob_path(a, blob->sha256), blob->sha256, blob->size, &good,
		err) == -1)
		return -1;
	/* a store that is damaged may have it there still */
	if (!good && backup_copy_add_missing(a, copy, store, blob_trash_path(a, blob->sha256), blob->sha256,
			 blob->size, &good, err) == -1)
		return -1;
	t->task->manifest.blobs_missing += !good;
	return 0;
}

static int
copy_blobs(struct taking *t, struct err *err)
{
	struct backup_task *task = t->task;
	struct arena *a = arena_new();
	struct backup_copy *copy;
	struct backup_list list;
	struct backup_blob blob;
	int rc, more = 0;

	rc = task->target->kind->copier(task->target, t->arena, &copy, err);
	if (rc == 0)
		rc = backup_list_open(t->arena, task->target, &task->manifest, &list, err);
	while (rc == 0 && (more = backup_list_next(&list, &blob, err)) == 1) {
		rc = copy_one(a, t, copy, &blob, err);
		arena_reset(a);
	}
	if (rc == 0 && more == 0)
		rc = backup_copy_end(a, copy, err);
	else
		rc = -1;
	if (rc == 0)
		backup_copy_count(copy, &task->copied, &task->copied_bytes);
	arena_free(a);
	return rc;
}

/* Older backups lose what is theirs alone. */
static int
remove_older(struct taking *t, struct err *err)
{
	struct backup_task *task = t->task;
	const char **names;
	size_t n;

	if (task->keep == 0)
		return 0;
	if (backup_names(t->arena, task->target, &names, &n, err) == -1)
		return -1;
	for (size_t i = 0; i + (size_t)task->keep < n; i++) {
		if (backup_remove(t->arena, task->target, names[i], err) == -1)
			return -1;
		task->removed++;
	}
	return 0;
}

/*
 * Are its files still there?  The lock belongs to one database: another one with the same registry id, such
 * as a restored one, removes files that have no manifest yet.
 */
static int
check_files(struct taking *t, struct err *err)
{
	const char *const files[] = { t->list_file, t->dump_file };
	const struct backup_target *target = t->task->target;
	struct blob_stat st;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		int there = target->files->kind->stat(target->files, t->arena, files[i], &st, err);

		if (there == 0)
			return err_set(err, 409, "%s was removed while the backup ran, probably by a backup of another "
			    "database with the id of this registry: give each database its own target, and run the "
			    "command again", backup_target_path(t->arena, target, files[i]));
		if (there == -1)
			return -1;
	}
	return 0;
}

static int
take(struct taking *t, struct err *err)
{
	struct backup_task *task = t->task;
	bool unknown;
	int rc;

	if (db_connect(task->db, err) == -1 || lock_collector(t, err) == -1)
		return -1;
	rc = db_transaction(task->db, snapshot_body, t, &unknown, err);
	if (rc == 0)
		rc = keep_files(t, err);
	close_files(t, rc == 0);
	if (rc == -1)
		return -1;
	FAULT_POINT("backup", "dumped");
	if (copy_blobs(t, err) == -1)
		return -1;
	FAULT_POINT("backup", "copied");
	if (check_lock(t, err) == -1 || check_files(t, err) == -1 ||
	    task->target->kind->claim(task->target, t->arena, task->manifest.registry, err) == -1 ||
	    backup_manifest_write(t->arena, task->target, &task->manifest, err) == -1)
		return -1;
	return remove_older(t, err);
}

int
backup_take(struct arena *a, struct backup_task *task, struct err *err)
{
	struct taking t = { .arena = a, .task = task, .dump = -1 };
	mode_t mask = umask(S_IRWXG | S_IRWXO);
	int lock, rc = task->target->kind->begin(task->target, a, &lock, err);

	if (rc == 0)
		rc = take(&t, err);
	blob_fd_close(&lock);
	umask(mask);
	return rc;
}
