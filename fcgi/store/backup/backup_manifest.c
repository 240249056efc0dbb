#include "store/backup/backup_manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/json.h"
#include "store/blob/blob.h"

enum { FORMAT = 1, MANIFEST_MAX = 64 * 1024, NAMES_MAX = 100000, FILE_MODE = 0600 };

#define ENDING ".json"

/* The numbers of a manifest. */
static const struct {
	const char *key;
	size_t offset;
} numbers[] = {
	{ "schema", offsetof(struct backup_manifest, schema) },
	{ "versions", offsetof(struct backup_manifest, versions) },
	{ "dump_bytes", offsetof(struct backup_manifest, dump_bytes) },
	{ "blobs", offsetof(struct backup_manifest, blobs) },
	{ "blob_bytes", offsetof(struct backup_manifest, blob_bytes) },
	{ "blobs_missing", offsetof(struct backup_manifest, blobs_missing) },
};

enum { NNUMBERS = sizeof(numbers) / sizeof(*numbers) };

const char *
backup_path(struct arena *a, const char *dir, const char *name, const char *ending)
{
	return arena_printf(a, "%s/%s%s", dir, name, ending);
}

/* Does the file's name begin with the name of a backup, 20260131T123456.789Z, and end in that? */
static bool
is_file(const char *file, const char *ending)
{
	static const char form[] = "00000000T000000.000Z";
	size_t i = 0;

	for (; form[i] != '\0'; i++) {
		if (form[i] == '0' ? file[i] < '0' || file[i] > '9' : file[i] != form[i])
			return false;
	}
	return strcmp(file + i, ending) == 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
backup_names(struct arena *a, const char *dir, const char ***names, size_t *n, struct err *err)
{
	const char **found = arena_calloc(a, NAMES_MAX, sizeof(*found));
	DIR *d = opendir(dir);
	struct dirent *entry;

	*n = 0;
	*names = found;
	if (d == NULL)
		return errno == ENOENT ? err_set(err, 404, "there is no directory %s", dir)
				       : err_sys(err, "open %s", dir);
	while (*n < NAMES_MAX && (entry = readdir(d)) != NULL) {
		if (is_file(entry->d_name, ENDING))
			found[(*n)++] =
			    arena_strndup(a, entry->d_name, strlen(entry->d_name) - strlen(ENDING));
	}
	closedir(d);
	qsort(found, *n, sizeof(*found), compare_names);
	return 0;
}

/* Is it a part of a backup that has no manifest? */
static bool
is_left(struct arena *a, const char *dir, const char *file)
{
	static const char *const endings[] = { ".dump", ".blobs", ENDING ".new" };

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		const char *name;

		if (!is_file(file, endings[i]))
			continue;
		name = arena_strndup(a, file, strlen(file) - strlen(endings[i]));
		return access(backup_path(a, dir, name, ENDING), F_OK) == -1;
	}
	return false;
}

int
backup_clear(struct arena *a, const char *dir, struct err *err)
{
	const char *const dirs[] = { dir, arena_printf(a, "%s/" BACKUP_INCOMING, dir) };
	struct dirent *entry;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		DIR *d = opendir(dirs[i]);
		int rc = 0;

		if (d == NULL && errno == ENOENT)
			continue;
		if (d == NULL)
			return err_sys(err, "open %s", dirs[i]);
		while (rc == 0 && (entry = readdir(d)) != NULL) {
			bool gone = i == 0 ? is_left(a, dir, entry->d_name) : entry->d_name[0] != '.';

			if (gone && unlinkat(dirfd(d), entry->d_name, 0) == -1)
				rc = err_disk(err, "unlink %s/%s", dirs[i], entry->d_name);
		}
		closedir(d);
		if (rc == -1)
			return -1;
	}
	return 0;
}

static int
write_file(const char *path, struct slice text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	int rc = 0;

	if (fd == -1)
		return err_disk(err, "open %s", path);
	if (write(fd, text.p, text.n) != (ssize_t)text.n || fsync(fd) == -1)
		rc = err_disk(err, "write %s", path);
	close(fd);
	return rc;
}

static int
sync_dir(const char *dir, struct err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd == -1 || fsync(fd) == -1 ? err_disk(err, "fsync %s", dir) : 0;

	if (fd != -1)
		close(fd);
	return rc;
}

int
backup_manifest_write(struct arena *a, const char *dir, const struct backup_manifest *m, struct err *err)
{
	const char *path = backup_path(a, dir, m->name, ENDING), *aside = arena_printf(a, "%s.new", path);
	struct json_out o;
	struct buf b;

	buf_init(&b, a, MANIFEST_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	json_out_key_int(&o, "format", FORMAT);
	json_out_key_str(&o, "registry", m->registry);
	json_out_key_str(&o, "created_at", m->created_at);
	json_out_key_str(&o, "program", m->program);
	json_out_key_str(&o, "dump_sha256", m->dump_sha256);
	json_out_key_str(&o, "blobs_sha256", m->blobs_sha256);
	for (size_t i = 0; i < NNUMBERS; i++) {
		int64_t value;

		memcpy(&value, (const char *)m + numbers[i].offset, sizeof(value));
		json_out_key_int(&o, numbers[i].key, value);
	}
	json_out_close(&o, '}');
	buf_putc(&b, '\n');
	if (write_file(aside, buf_slice(&b), err) == -1)
		return -1;
	if (rename(aside, path) == -1)
		return err_disk(err, "rename %s", aside);
	return sync_dir(dir, err);
}

static int
read_text(struct arena *a, const char *path, struct slice *text, struct err *err)
{
	char *bytes = arena_alloc(a, MANIFEST_MAX);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd == -1)
		return errno == ENOENT ? err_set(err, 404, "there is no backup %s", path)
				       : err_sys(err, "open %s", path);
	n = read(fd, bytes, MANIFEST_MAX);
	close(fd);
	if (n == -1)
		return err_sys(err, "read %s", path);
	*text = slice_of(bytes, (size_t)n);
	return 0;
}

static int
take_digest(const struct json_get *in, const char *key, char digest[BACKUP_DIGEST_SIZE])
{
	unsigned char bytes[(BACKUP_DIGEST_SIZE - 1) / 2];
	const char *text;

	if (json_get_str(in, key, true, &text) == -1)
		return -1;
	if (!hex_decode(slice_str(text), bytes, sizeof(bytes)))
		return err_set(in->err, 409, "%s: %s is not a SHA-256", in->what, key);
	hex_encode(bytes, sizeof(bytes), digest);
	return 0;
}

static int
take_manifest(const struct json_get *in, struct backup_manifest *m)
{
	int64_t format = 0;

	if (json_get_int(in, "format", true, &format) == -1)
		return -1;
	if (format != FORMAT)
		return err_set(
		    in->err, 409, "%s: a newer version of Berth has written this backup", in->what);
	for (size_t i = 0; i < NNUMBERS; i++) {
		int64_t value = 0;

		if (json_get_int(in, numbers[i].key, true, &value) == -1)
			return -1;
		memcpy((char *)m + numbers[i].offset, &value, sizeof(value));
	}
	return json_get_str(in, "registry", true, &m->registry) == -1 ||
		       json_get_str(in, "created_at", true, &m->created_at) == -1 ||
		       json_get_str(in, "program", true, &m->program) == -1 ||
		       take_digest(in, "dump_sha256", m->dump_sha256) == -1 ||
		       take_digest(in, "blobs_sha256", m->blobs_sha256) == -1
		   ? -1
		   : 0;
}

int
backup_manifest_read(
    struct arena *a, const char *dir, const char *name, struct backup_manifest *m, struct err *err)
{
	struct json_object *object;
	const char **names, *path;
	struct slice text = slice_of("", 0);
	size_t n;

	*m = (struct backup_manifest){ .name = name };
	if (name == NULL) {
		if (backup_names(a, dir, &names, &n, err) == -1)
			return -1;
		if (n == 0)
			return err_set(err, 404, "%s has no backup", dir);
		m->name = names[n - 1];
	}
	path = backup_path(a, dir, m->name, ENDING);
	if (read_text(a, path, &text, err) == -1)
		return -1;
	if (json_parse(a, text, path, &object, err) == -1 ||
	    take_manifest(&(struct json_get){ object, path, err }, m) == -1) {
		/* the file is to blame, and not how the command was called */
		err->status = err->status == 400 ? 409 : err->status;
		return -1;
	}
	return 0;
}

int
backup_check_file(const char *path, const char *sha256, int64_t size, struct err *err)
{
	int fd = open(path, BLOB_OPEN);
	struct stat st;
	bool same = false;
	int rc = 0;

	if (fd == -1)
		return errno == ENOENT ? err_set(err, 404, "%s is missing", path)
				       : err_sys(err, "open %s", path);
	if (fstat(fd, &st) == -1 || blob_hash_file(fd, sha256, &same) == -1)
		rc = err_sys(err, "read %s", path);
	else if (size != -1 && st.st_size != size)
		rc = err_set(
		    err, 409, "%s has %lld bytes, and not %" PRId64, path, (long long)st.st_size, size);
	else if (!same)
		rc = err_set(err, 409, "%s is damaged: its SHA-256 differs", path);
	close(fd);
	return rc;
}
