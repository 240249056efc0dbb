#include "jobs/download_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/hex.h"

enum {
	FILES_MAX = 256, /* rotated ones that are not compressed: a few */
	FIRST_LINE_MAX = 4096
};

static const char *const compressed[] = { ".gz", ".xz", ".bz2", ".zst", ".lz4" };

static bool
has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n >= k && strcmp(name + n - k, suffix) == 0;
}

/* `base` itself, or a rotated one: berth.log.1, berth.log-20260131, not berth.log.2.gz. */
static bool
is_ours(const char *name, const char *base)
{
	size_t n = strlen(base);

	if (strncmp(name, base, n) != 0 || (name[n] != '\0' && name[n] != '.' && name[n] != '-'))
		return false;
	for (size_t i = 0; i < sizeof(compressed) / sizeof(*compressed); i++) {
		if (has_suffix(name, compressed[i]))
			return false;
	}
	return true;
}

static int
read_at(int fd, int64_t position, char *to, size_t max, size_t *got)
{
	*got = 0;
	while (*got < max) {
		ssize_t n = pread(fd, to + *got, max - *got, (off_t)(position + (int64_t)*got));

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return 0;
}

/* 1: the first line is known, 0: there is none yet, -1: errno is set. */
static int
fingerprint(int fd, char out[LOG_FINGERPRINT_SIZE])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char line[FIRST_LINE_MAX];
	const char *end;
	size_t n;

	if (read_at(fd, 0, line, sizeof(line), &n) == -1)
		return -1;
	end = memchr(line, '\n', n);
	if (end == NULL && n < sizeof(line))
		return 0;
	SHA256((const unsigned char *)line, end != NULL ? (size_t)(end - line) : n, digest);
	hex_encode(digest, sizeof(digest), out);
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
		return errno == ENOENT ? 0 : err_sys(err, "cannot open %s", f->path);
	rc = fstat(f->fd, &st);
	if (rc == 0 && S_ISREG(st.st_mode))
		rc = fingerprint(f->fd, f->fingerprint);
	if (rc == -1)
		err_sys(err, "cannot read %s", f->path);
	else
		f->size = st.st_size;
	if (rc != 1)
		close(f->fd);
	return rc;
}

static void
close_file(void *arg)
{
	close(((struct log_file *)arg)->fd);
}

/* Takes the file in, unless it is the shorter one of two that are the same. */
static void
add(struct arena *a, struct log_file *files, size_t *n, const struct log_file *f)
{
	for (size_t i = 0; i < *n; i++) {
		if (strcmp(files[i].fingerprint, f->fingerprint) != 0)
			continue;
		if (f->size > files[i].size) {
			close(files[i].fd);
			files[i] = *f;
		} else {
			close(f->fd);
		}
		return;
	}
	files[*n] = *f;
	arena_defer(a, close_file, &files[*n]);
	(*n)++;
}

int
log_files_find(struct arena *a, const char *path, struct log_file **files, size_t *n,
    struct err *err)
{
	const char *base = strrchr(path, '/') + 1;
	const char *dir = arena_strndup(a, path, (size_t)(base - path));
	struct dirent *entry;
	DIR *d = opendir(dir);
	int rc = 0;

	*n = 0;
	*files = arena_calloc(a, FILES_MAX, sizeof(**files));
	if (d == NULL)
		return errno == ENOENT ? 0 : err_sys(err, "cannot open %s", dir);
	while (rc != -1 && *n < FILES_MAX && (entry = readdir(d)) != NULL) {
		struct log_file f = { .size = 0 };

		if (!is_ours(entry->d_name, base))
			continue;
		f.path = arena_printf(a, "%s%s", dir, entry->d_name);
		rc = look(&f, err);
		if (rc == 1)
			add(a, *files, n, &f);
	}
	closedir(d);
	return rc == -1 ? -1 : 0;
}

int
log_file_read(const struct log_file *f, int64_t position, char *to, size_t max, size_t *got,
    struct err *err)
{
	char now[LOG_FINGERPRINT_SIZE];
	int same;

	if (read_at(f->fd, position, to, max, got) == -1 || (same = fingerprint(f->fd, now)) == -1)
		return err_sys(err, "cannot read %s", f->path);
	/* what is truncated never gets its first line back: so it was whole when it was read */
	if (same == 0 || strcmp(now, f->fingerprint) != 0)
		*got = 0;
	return 0;
}
