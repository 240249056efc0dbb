#include "tasks/download_log.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "tasks/packed_log.h"

enum {
	FILES_MAX = 4096, /* ten years of days */
	FIRST_LINE_MAX = 4096
};

/* What cannot be read, unlike .gz. */
static const char *const foreign[] = { ".xz", ".bz2", ".zst", ".lz4" };

static bool
has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n >= k && strcmp(name + n - k, suffix) == 0;
}

/* `base` itself, or a rotated one: berth.log.1, berth.log-20260131.gz, not berth.log.2.xz. */
static bool
is_ours(const char *name, const char *base)
{
	size_t n = strlen(base);

	if (strncmp(name, base, n) != 0 || (name[n] != '\0' && name[n] != '.' && name[n] != '-'))
		return false;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		if (has_suffix(name, foreign[i]))
			return false;
	}
	return true;
}

static void
digest_of(const char *p, size_t n, char out[LOG_FINGERPRINT_SIZE])
{
	unsigned char digest[SHA256_SIZE];
	bool good = sha256_digest(p, n, digest);

	/* SHA-256 of memory fails only where there is no memory */
	assert(good);
	hex_encode(digest, sizeof(digest), out);
}

/* From what a log begins with, up to FIRST_LINE_MAX of it.  False: the line has no end yet. */
static bool
fingerprint_of(const char *line, size_t n, char out[LOG_FINGERPRINT_SIZE])
{
	const char *end = memchr(line, '\n', n);

	if (end == NULL && n < FIRST_LINE_MAX)
		return false;
	digest_of(line, end != NULL ? (size_t)(end - line) : n, out);
	return true;
}

/* 1: the first line is known, 0: there is none yet, -1: errno is set. */
static int
fingerprint(int fd, char out[LOG_FINGERPRINT_SIZE])
{
	char line[FIRST_LINE_MAX];
	size_t n;

	if (disk_read_at(fd, 0, line, sizeof(line), &n) == -1)
		return -1;
	return fingerprint_of(line, n, out) ? 1 : 0;
}

/* The same.  One that is damaged at once, or not even begun, is known by the bytes of its file. */
static int
fingerprint_packed(int fd, char out[LOG_FINGERPRINT_SIZE])
{
	struct arena *a = arena_new();
	struct err err = { 0 };
	struct packed_log *p = packed_log_new(a, fd, &err);
	char line[FIRST_LINE_MAX];
	size_t n = 0;
	int rc = p == NULL ? -1 : packed_log_read(p, line, sizeof(line), &n, &err);
	bool known = fingerprint_of(line, n, out);

	arena_free(a);
	if (known || rc == 0)
		return known ? 1 : 0;
	if (disk_read_at(fd, 0, line, sizeof(line), &n) == -1)
		return -1;
	digest_of(line, n, out);
	return 1;
}

/* A compressed log may be readable for root alone: the others are read all the same. */
static int
cannot_open(struct log_file *f, struct err *err)
{
	if (errno == ENOENT)
		return 0;
	if (!f->compressed)
		return err_sys(err, "cannot open %s", f->path);
	digest_of(f->path, strlen(f->path), f->fingerprint);
	return 1;
}

/* 1: it is a file and has a line, 0: not so, or it is gone, -1: err. */
static int
look(struct log_file *f, struct err *err)
{
	struct stat st;
	int rc;

	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd == -1)
		return cannot_open(f, err);
	rc = fstat(f->fd, &st);
	if (rc == 0 && S_ISREG(st.st_mode))
		rc = f->compressed ? fingerprint_packed(f->fd, f->fingerprint)
				   : fingerprint(f->fd, f->fingerprint);
	if (rc == -1) {
		err_sys(err, "cannot read %s", f->path);
	} else {
		f->size = st.st_size;
		f->changed = st.st_ctime;
	}
	if (rc == 1 && !f->compressed)
		return rc;
	/* there may be many that are compressed: the task that reads one opens it again */
	close(f->fd);
	f->fd = -1;
	return rc;
}

static void
close_file(void *arg)
{
	const struct log_file *f = arg;

	if (f->fd != -1)
		close(f->fd);
}

static bool
is_better(const struct log_file *f, const struct log_file *than)
{
	return f->compressed != than->compressed ? than->compressed : f->size > than->size;
}

/* Takes the file in, unless it is the worse one of two that are the same. */
static int
add(struct arena *a, struct log_file *files, size_t *n, struct log_file *f, struct err *err)
{
	for (size_t i = 0; i < *n; i++) {
		if (strcmp(files[i].fingerprint, f->fingerprint) != 0)
			continue;
		if (is_better(f, &files[i])) {
			close_file(&files[i]);
			files[i] = *f;
		} else {
			close_file(f);
		}
		return 0;
	}
	if (*n == FILES_MAX) {
		close_file(f);
		return err_internal(err, 500, "there are more than %d logs, and %s is not read: move old logs to "
		    "another directory", FILES_MAX, f->path);
	}
	files[*n] = *f;
	arena_defer(a, close_file, &files[*n]);
	(*n)++;
	return 0;
}

int
log_files_find(struct arena *a, const char *path, struct log_file **files, size_t *n,
    struct err *err)
{
	const char *base = strrchr(path, '/') + 1;
	const char *dir = arena_strndup(a, path, (size_t)(base - path));
	DIR *d = opendir(dir);
	const char *name;
	int more = 0, rc = 0;

	*n = 0;
	*files = arena_calloc(a, FILES_MAX, sizeof(**files));
	if (d == NULL)
		return errno == ENOENT ? 0 : err_sys(err, "cannot open %s", dir);
	while (rc != -1 && (more = disk_next_name(d, &name)) == 1) {
		struct log_file f = { .compressed = has_suffix(name, ".gz") };

		if (!is_ours(name, base))
			continue;
		f.path = arena_printf(a, "%s%s", dir, name);
		rc = look(&f, err);
		if (rc == 1)
			rc = add(a, *files, n, &f, err);
	}
	if (more == -1)
		rc = err_sys(err, "cannot read %s", dir);
	closedir(d);
	return rc == -1 ? -1 : 0;
}

/* Another log may have its name by now. */
static int
open_again(struct log_file *f, struct err *err)
{
	char now[LOG_FINGERPRINT_SIZE];

	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd == -1)
		return err_sys(err, "cannot open");
	if (fingerprint_packed(f->fd, now) != 1 || strcmp(now, f->fingerprint) != 0)
		return err_internal(err, 500, "it has been renamed");
	return 0;
}

static int
unpack(struct arena *a, struct log_file *f, struct err *err)
{
	if (f->fd == -1 && open_again(f, err) == -1)
		return -1;
	f->at = 0;
	if (f->packed != NULL)
		return packed_log_rewind(f->packed, err);
	f->packed = packed_log_new(a, f->fd, err);
	return f->packed == NULL ? -1 : 0;
}

int
log_file_check(struct arena *a, struct log_file *f, char *room, size_t size, struct err *err)
{
	size_t got = size;

	if (unpack(a, f, err) == -1)
		return err_context(err, "%s", f->path);
	while (got == size) {
		if (packed_log_read(f->packed, room, size, &got, err) == -1)
			return err_context(err, "%s", f->path);
	}
	return unpack(a, f, err);
}

static int
read_packed(struct arena *a, struct log_file *f, int64_t position, char *to, size_t max,
    size_t *got, struct err *err)
{
	if (f->packed == NULL && unpack(a, f, err) == -1)
		return -1;
	assert(position >= f->at);
	for (;;) {
		int64_t behind = position - f->at;
		size_t n = behind == 0 || behind > (int64_t)max ? max : (size_t)behind;

		if (packed_log_read(f->packed, to, n, got, err) == -1)
			return -1;
		f->at += (int64_t)*got;
		if (behind == 0 || *got == 0)
			return 0;
	}
}

int
log_file_read(struct arena *a, struct log_file *f, int64_t position, char *to, size_t max,
    size_t *got, struct err *err)
{
	char now[LOG_FINGERPRINT_SIZE];
	int same;

	if (f->compressed)
		return read_packed(a, f, position, to, max, got, err) == -1
		    ? err_context(err, "%s", f->path) : 0;
	if (disk_read_at(f->fd, position, to, max, got) == -1 || (same = fingerprint(f->fd, now)) == -1)
		return err_sys(err, "cannot read %s", f->path);
	/* what is truncated never gets its first line back: so it was whole when it was read */
	if (same == 0 || strcmp(now, f->fingerprint) != 0)
		*got = 0;
	return 0;
}
