#include "store/backup/backup_take.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "store/backup/backup_copy.h"
#include "store/backup/backup_list.h"
#include "store/backup/backup_tool.h"
#include "store/blob/blob.h"

enum { PAGE = 5000, DIR_MODE = 0700, FILE_MODE = 0600, LOCK_TRIES = 50, LOCK_MS = 100 };

/*
 * Only the owner may read a backup, whatever the mode of the directory: it has private crates and digests
 * of tokens.
 */
enum { MASK = S_IRWXG | S_IRWXO };

struct taking {
	struct arena *arena;
	struct backup_task *task;
	FILE *list;
};

/* Makes the directory, and keeps others out of it.  Returns a descriptor, whose end lets them in. */
static int
open_dir(const char *dir, struct err *err)
{
	int fd;

	if (mkdir(dir, DIR_MODE) == -1 && errno != EEXIST)
		return err_disk(err, "mkdir %s", dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return err_disk(err, "open %s", dir);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	close(fd);
	return err_set(err, 409, "another backup to %s runs", dir);
}

static int
lock_collector(struct db *db, struct arena *a, struct err *err)
{
	enum { COLUMNS_BACKUP_LOCK };
	struct db_result r;

	/* a collection holds it for a moment only, a backup for long */
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (db_exec(db, a, STMT_BACKUP_LOCK, NULL, &r, err) == -1)
			return -1;
		if (db_bool(&r, 0, LOCKED))
			return 0;
		(void)poll(NULL, 0, LOCK_MS);
	}
	return err_set(err, 409, "another backup of this registry runs; wait until it has ended");
}

/* Backups of one registry share their blobs; those of two would hide which is which. */
static int
check_registry(struct taking *t, struct err *err)
{
	struct backup_manifest *m = &t->task->manifest, other;
	const char **names;
	size_t n;

	if (backup_names(t->arena, t->task->dir, &names, &n, err) == -1)
		return -1;
	if (n == 0)
		return 0;
	if (backup_manifest_read(t->arena, t->task->dir, names[n - 1], &other, err) == -1)
		return -1;
	if (strcmp(names[n - 1], m->name) >= 0)
		return err_set(err, 409,
		    "%s has a backup of %s, which is not before now: set the database's clock", t->task->dir,
		    other.created_at);
	return strcmp(other.registry, m->registry) == 0 ? 0
							: err_set(err, 409,
							      "%s has backups of the registry %s, and the "
							      "database is the registry %s: use another "
							      "directory",
							      t->task->dir, other.registry, m->registry);
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
		.program = BERTH_VERSION,
		.schema = db_int(&r, 0, NEWEST),
		.versions = db_int(&r, 0, VERSIONS),
	};
	return 0;
}

static int
write_list(struct db *db, struct taking *t, struct err *err)
{
	enum { COLUMNS_STORE_BLOBS };
	struct backup_manifest *m = &t->task->manifest;
	struct arena *page = arena_new();
	char after[BLOB_HEX_SIZE] = "";
	int rc = 0, n = 1;

	while (rc == 0 && n > 0) {
		struct db_params p = { .n = 0 };
		struct db_result r;

		db_bind_str(&p, after);
		db_bind_int(&p, PAGE);
		rc = db_exec(db, page, STMT_STORE_BLOBS, &p, &r, err);
		n = rc == 0 ? r.rows : 0;
		for (int i = 0; i < n; i++) {
			m->blobs++;
			m->blob_bytes += db_int(&r, i, SIZE);
			fprintf(t->list, "%s %" PRId64 "\n", db_str(&r, i, SHA256), db_int(&r, i, SIZE));
		}
		if (n > 0)
			memcpy(after, db_str(&r, n - 1, SHA256), BLOB_HEX_SIZE);
		arena_reset(page);
	}
	arena_free(page);
	/* an earlier write may have failed on a disk that has space again */
	if (rc == 0 && (fflush(t->list) == EOF || ferror(t->list) || fsync(fileno(t->list)) == -1))
		rc = err_disk(err, "write the list of blobs to %s", t->task->dir);
	return rc;
}

static int
dump(struct taking *t, const char *snapshot, struct err *err)
{
	struct backup_manifest *m = &t->task->manifest;
	const char *path = backup_path(t->arena, t->task->dir, m->name, ".dump");
	/* a restore must not sign anybody in again */
	const char *words[] = { "pg_dump", "--format=custom", "--no-password",
		"--exclude-table-data=public.sessions", "--exclude-table-data=public.sign_in_links",
		arena_printf(t->arena, "--snapshot=%s", snapshot), NULL };
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE), rc;
	struct stat st = { 0 };

	if (fd == -1)
		return err_disk(err, "open %s", path);
	rc = backup_tool_run(t->arena, words, t->task->conninfo, fd, true, err);
	if (rc == 0 && (fsync(fd) == -1 || fstat(fd, &st) == -1))
		rc = err_disk(err, "write %s", path);
	close(fd);
	if (rc == -1)
		(void)unlink(path);
	else
		m->dump_bytes = st.st_size;
	return rc;
}

/* In one snapshot: names, counts, the list of blobs, and the dump. */
static int
snapshot_body(struct db *db, void *arg, struct err *err)
{
	struct taking *t = arg;
	const char *snapshot, *path;
	int rc;

	if (read_snapshot(db, t, &snapshot, err) == -1 || check_registry(t, err) == -1)
		return -1;
	path = backup_path(t->arena, t->task->dir, t->task->manifest.name, ".blobs");
	t->list = fopen(path, "wxe");
	if (t->list == NULL)
		return err_disk(err, "open %s", path);
	rc = write_list(db, t, err);
	fclose(t->list);
	if (rc == 0)
		rc = dump(t, snapshot, err);
	if (rc == -1)
		(void)unlink(path);
	return rc;
}

static int
copy_one(struct arena *a, struct taking *t, struct backup_copy *copy, const struct backup_blob *blob,
    struct err *err)
{
	const struct blob_store *store = t->task->store;
	int there = backup_copy_has(a, copy, blob->sha256, blob->size, err);
	bool good;

	if (there != 0)
		return there == 1 ? 0 : -1;
	if (backup_copy_add_from(a, copy, store, blob_path(a, blob->sha256), blob->sha256, blob->size, &good,
		err) == -1)
		return -1;
	/* a store that is damaged may have it there still */
	if (!good && backup_copy_add_from(a, copy, store, blob_trash_path(a, blob->sha256), blob->sha256,
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

	rc = backup_copy_new(t->arena, arena_printf(t->arena, "%s/" BACKUP_BLOBS, task->dir),
	    arena_printf(t->arena, "%s/" BACKUP_INCOMING, task->dir), task->dir, MASK, &copy, err);
	if (rc == 0)
		rc = backup_list_open(t->arena, task->dir, &task->manifest, &list, err);
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

static int
digest_file(struct arena *a, const char *path, char digest[BACKUP_DIGEST_SIZE], struct err *err)
{
	enum { CHUNK = 256 * 1024 };
	unsigned char bytes[SHA256_SIZE];
	char *chunk = arena_alloc(a, CHUNK);
	struct sha256 hash;
	bool good = sha256_begin(&hash);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	while (good && fd != -1 && (n = read(fd, chunk, CHUNK)) > 0)
		good = sha256_add(&hash, chunk, (size_t)n);
	if (fd != -1)
		close(fd);
	if (!sha256_end(&hash, bytes) || !good || n == -1)
		return err_sys(err, "read %s", path);
	hex_encode(bytes, sizeof(bytes), digest);
	return 0;
}

/* Older backups lose what is theirs alone. */
static int
remove_older(struct taking *t, struct err *err)
{
	static const char *const endings[] = { ".json", ".dump", ".blobs" };
	struct backup_task *task = t->task;
	const char **names;
	size_t n;

	if (task->keep == 0)
		return 0;
	if (backup_names(t->arena, task->dir, &names, &n, err) == -1)
		return -1;
	for (size_t i = 0; i + (size_t)task->keep < n; i++) {
		for (size_t k = 0; k < sizeof(endings) / sizeof(*endings); k++) {
			const char *path = backup_path(t->arena, task->dir, names[i], endings[k]);

			if (unlink(path) == -1 && errno != ENOENT)
				return err_disk(err, "unlink %s", path);
		}
		task->removed++;
	}
	return 0;
}

static int
take(struct taking *t, struct err *err)
{
	struct backup_task *task = t->task;
	struct backup_manifest *m = &task->manifest;
	bool unknown;

	if (backup_clear(t->arena, task->dir, err) == -1 || db_connect(task->db, err) == -1 ||
	    lock_collector(task->db, t->arena, err) == -1 ||
	    db_transaction(task->db, snapshot_body, t, &unknown, err) == -1)
		return -1;
	FAULT_POINT("backup", "dumped");
	if (digest_file(t->arena, backup_path(t->arena, task->dir, m->name, ".dump"), m->dump_sha256, err) ==
		-1 ||
	    digest_file(
		t->arena, backup_path(t->arena, task->dir, m->name, ".blobs"), m->blobs_sha256, err) == -1 ||
	    copy_blobs(t, err) == -1)
		return -1;
	FAULT_POINT("backup", "copied");
	return backup_manifest_write(t->arena, task->dir, m, err) == -1 ? -1 : remove_older(t, err);
}

int
backup_take(struct arena *a, struct backup_task *task, struct err *err)
{
	struct taking t = { .arena = a, .task = task };
	mode_t mask = umask(MASK);
	int dir = open_dir(task->dir, err), rc;

	rc = dir == -1 ? -1 : take(&t, err);
	if (dir != -1)
		close(dir);
	umask(mask);
	return rc;
}
