#include "store/backup/backup_manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/disk.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/sha256.h"

enum { FORMAT = 1, MANIFEST_MAX = 64 * 1024 };

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

/* Names that a target lists. */
struct names {
	struct arena *arena;
	const char **v;
	size_t n, room;
};

/* Adds the name without its ending, if it has this ending. */
static void
take_name(struct names *names, const char *file, const char *ending)
{
	if (!is_file(file, ending))
		return;
	names->v = arena_grow(names->arena, names->v, names->n, &names->room, sizeof(*names->v));
	names->v[names->n++] = arena_strndup(names->arena, file, strlen(file) - strlen(ending));
}

static int
take_backup(void *arg, const char *file, struct err *err)
{
	(void)err;
	take_name(arg, file, ENDING);
	return 0;
}

int
backup_names(struct arena *a, const struct backup_target *target, const char ***names, size_t *n,
    struct err *err)
{
	struct names found = { .arena = a };
	int rc = target->kind->list(target, a, take_backup, &found, err);

	if (found.n > 0)
		qsort(found.v, found.n, sizeof(*found.v), compare_names);
	*names = found.v;
	*n = found.n;
	return rc;
}

static const char *const endings[] = { ".dump", ".blobs", ENDING, ".dump" BACKUP_NEW, ".blobs" BACKUP_NEW,
	ENDING BACKUP_NEW };

enum { NENDINGS = sizeof(endings) / sizeof(*endings) };

static int
take_any(void *arg, const char *file, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < NENDINGS; i++)
		take_name(arg, file, endings[i]);
	return 0;
}

int
backup_remove(struct arena *a, const struct backup_target *target, const char *name, struct err *err)
{
	/* remove the manifest first: files without a manifest are no backup */
	for (size_t i = NENDINGS; i-- > 0;) {
		if (target->files->kind->remove(target->files, a, arena_printf(a, "%s%s", name, endings[i]), err) == -1)
			return -1;
	}
	return 0;
}

int
backup_clear(struct arena *a, const struct backup_target *target, struct err *err)
{
	struct names files = { .arena = a };
	const char **names;
	size_t n;

	if (backup_names(a, target, &names, &n, err) == -1 ||
	    target->kind->list(target, a, take_any, &files, err) == -1)
		return -1;
	for (size_t i = 0; i < files.n; i++) {
		if ((n == 0 || bsearch(&files.v[i], names, n, sizeof(*names), compare_names) == NULL) &&
		    backup_remove(a, target, files.v[i], err) == -1)
			return -1;
	}
	return 0;
}

int
backup_keep(struct arena *a, const struct backup_target *target, const char *file, int fd,
    char sha256[BACKUP_DIGEST_SIZE], int64_t *size, struct err *err)
{
	enum { CHUNK = 256 * 1024 };
	unsigned char bytes[SHA256_SIZE];
	char *chunk = arena_alloc(a, CHUNK);
	struct sha256 hash;
	bool good = sha256_begin(&hash);
	ssize_t n = -1;

	*size = 0;
	while (good && (n = pread(fd, chunk, CHUNK, *size)) > 0) {
		good = sha256_add(&hash, chunk, (size_t)n);
		*size += n;
	}
	if (!sha256_end(&hash, bytes) || !good || n == -1)
		return err_sys(err, "read %s", backup_target_path(a, target, file));
	hex_encode(bytes, sizeof(bytes), sha256);
	return target->kind->keep(target, a, file, fd, *size, sha256, err);
}

/* Writes a text to a new file, and keeps the file. */
static int
write_file(struct arena *a, const struct backup_target *target, const char *file, struct slice text,
    struct err *err)
{
	char sha256[BACKUP_DIGEST_SIZE];
	int64_t size;
	int fd, rc = 0;

	if (target->kind->create(target, a, file, &fd, err) == -1)
		return -1;
	if (disk_write(fd, text) == -1)
		rc = err_disk(err, "write %s", backup_target_path(a, target, file));
	if (rc == 0)
		rc = backup_keep(a, target, file, fd, sha256, &size, err);
	if (rc == -1)
		target->kind->drop(target, a, file);
	close(fd);
	return rc;
}

int
backup_manifest_write(struct arena *a, const struct backup_target *target, const struct backup_manifest *m,
    struct err *err)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, a, MANIFEST_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	json_out_key_int(&o, "format", FORMAT);
	json_out_key_str(&o, "registry", m->registry);
	json_out_key_str(&o, "created_at", m->created_at);
	json_out_key_str(&o, "adopted_at", m->adopted_at);
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
	return write_file(a, target, arena_printf(a, "%s" ENDING, m->name), buf_slice(&b), err);
}

static int
read_text(struct arena *a, const struct backup_target *target, const char *file, struct slice *text,
    struct err *err)
{
	char *bytes = arena_alloc(a, MANIFEST_MAX);
	int fd, rc = target->files->kind->open(target->files, a, file, MANIFEST_MAX, &fd, err);
	ssize_t n;

	if (rc != 1)
		return rc == 0 ? err_set(err, 404, "there is no backup %s", backup_target_path(a, target, file)) : -1;
	n = disk_read_all(fd, bytes, MANIFEST_MAX);
	if (n == -1 && errno == EFBIG)
		err_set(err, 409, "%s is longer than %d bytes", backup_target_path(a, target, file), MANIFEST_MAX);
	else if (n == -1)
		err_sys(err, "read %s", backup_target_path(a, target, file));
	close(fd);
	if (n == -1)
		return -1;
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
		return err_set(in->err, 409, "%s has format %" PRId64 ", and this program knows format %d: use the "
		    "version of Berth that has made the backup, or a newer one", in->what, format, FORMAT);
	for (size_t i = 0; i < NNUMBERS; i++) {
		int64_t value = 0;

		if (json_get_int(in, numbers[i].key, true, &value) == -1)
			return -1;
		memcpy((char *)m + numbers[i].offset, &value, sizeof(value));
	}
	return json_get_str(in, "registry", true, &m->registry) == -1 ||
		       json_get_str(in, "created_at", true, &m->created_at) == -1 ||
		       json_get_str(in, "adopted_at", false, &m->adopted_at) == -1 ||
		       json_get_str(in, "program", true, &m->program) == -1 ||
		       take_digest(in, "dump_sha256", m->dump_sha256) == -1 ||
		       take_digest(in, "blobs_sha256", m->blobs_sha256) == -1
		   ? -1
		   : 0;
}

int
backup_manifest_read(struct arena *a, const struct backup_target *target, const char *name,
    struct backup_manifest *m, struct err *err)
{
	struct json_object *object;
	const char **names, *file, *path;
	struct slice text = slice_of("", 0);
	size_t n;

	*m = (struct backup_manifest){ .name = name };
	if (name == NULL) {
		if (backup_names(a, target, &names, &n, err) == -1)
			return -1;
		if (n == 0)
			return err_set(err, 404, "%s has no backup", target->name);
		m->name = names[n - 1];
	}
	file = arena_printf(a, "%s" ENDING, m->name);
	path = backup_target_path(a, target, file);
	if (read_text(a, target, file, &text, err) == -1)
		return -1;
	if (json_parse(a, text, path, &object, err) == -1 ||
	    take_manifest(&(struct json_get){ object, path, err }, m) == -1) {
		/* the file is to blame, and not how the command was called */
		err->status = err->status == 400 ? 409 : err->status;
		return -1;
	}
	return 0;
}
