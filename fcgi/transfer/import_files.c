#include "transfer/import_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/disk.h"
#include "base/scan.h"

struct walk {
	struct arena *arena;
	int (*take)(void *arg, const char *path, const char *name, struct err *);
	void *arg;
};

static int enter(const struct walk *, const char *path, int depth, struct err *);

static int
walk_entry(const struct walk *walk, int dir, const char *path, const char *name, int depth, struct err *err)
{
	const char *below = arena_printf(walk->arena, "%s/%s", path, name);
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : err_set(err, 400, "cannot read %s: %s", below, strerrordesc_np(errno));
	if (S_ISDIR(st.st_mode))
		return enter(walk, below, depth + 1, err);
	return S_ISREG(st.st_mode) ? walk->take(walk->arg, below, name, err) : 0;
}

static int
enter(const struct walk *walk, const char *path, int depth, struct err *err)
{
	DIR *d = depth > IMPORT_DEPTH_MAX ? NULL : opendir(path);
	const char *name;
	int more = 0, rc = 0;

	if (depth > IMPORT_DEPTH_MAX)
		return err_set(err, 400, "%s is more than %d directories below the first", path,
		    IMPORT_DEPTH_MAX);
	if (d == NULL && errno == ENOENT && depth > 0)
		return 0;
	if (d == NULL)
		return err_set(err, 400, "cannot read the directory %s: %s", path, strerrordesc_np(errno));
	while (rc == 0 && (more = disk_next_name(d, &name)) == 1) {
		if (name[0] != '.')
			rc = walk_entry(walk, dirfd(d), path, name, depth, err);
	}
	if (more == -1)
		rc = err_set(err, 400, "cannot read the directory %s: %s", path, strerrordesc_np(errno));
	closedir(d);
	return rc;
}

int
import_files_walk(struct arena *a, const char *directory,
    int (*take)(void *arg, const char *path, const char *name, struct err *), void *arg, struct err *err)
{
	const struct walk walk = { a, take, arg };

	return enter(&walk, directory, 0, err);
}

/* Reads to the end: a pipe does not say how much it has.  -1 with errno set. */
static int
read_all(int fd, struct buf *b)
{
	char piece[8192];
	ssize_t got;

	while (!buf_full(b) && (got = read(fd, piece, sizeof(piece))) != 0) {
		if (got > 0)
			buf_put(b, piece, (size_t)got);
		else if (errno != EINTR)
			return -1;
	}
	if (buf_full(b))
		errno = EFBIG;
	return buf_full(b) ? -1 : 0;
}

static int
read_file(struct arena *a, const char *path, int flags, size_t max, struct slice *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags), rc = -1;
	struct stat st;
	struct buf b;

	buf_init(&b, a, max);
	if (fd != -1 && fstat(fd, &st) == 0) {
		buf_expect(&b, (size_t)st.st_size);
		rc = read_all(fd, &b);
	}
	if (rc == -1 && errno == EFBIG)
		err_set(err, 400, "%s is longer than %zu bytes", path, max);
	else if (rc == -1)
		err_set(err, 400, "cannot read %s: %s", path, strerrordesc_np(errno));
	if (fd != -1)
		close(fd);
	*out = rc == 0 ? buf_slice(&b) : slice_str("");
	return rc;
}

int
import_files_read(struct arena *a, const char *path, size_t max, struct slice *out, struct err *err)
{
	return read_file(a, path, O_NOFOLLOW, max, out, err);
}

int
import_files_read_given(struct arena *a, const char *path, size_t max, struct slice *out, struct err *err)
{
	static const char mark[] = "\xef\xbb\xbf";

	if (read_file(a, path, 0, max, out, err) == -1)
		return -1;
	if (slice_has_prefix(*out, mark))
		scan_skip(out, strlen(mark));
	return 0;
}

/* Compares from where both files are.  -1 with errno set. */
static int
compare_open(FILE *a, FILE *b, bool *same)
{
	char pieces[2][8192];
	size_t n;

	do {
		n = fread(pieces[0], 1, sizeof(pieces[0]), a);
		*same = fread(pieces[1], 1, sizeof(pieces[1]), b) == n && memcmp(pieces[0], pieces[1], n) == 0;
	} while (*same && n > 0);
	return ferror(a) || ferror(b) ? -1 : 0;
}

int
import_files_compare(const char *path, const char *other, bool *same, struct err *err)
{
	FILE *a = fopen(path, "re"), *b = a != NULL ? fopen(other, "re") : NULL;
	int rc = b != NULL ? compare_open(a, b, same) : -1;

	if (rc == -1)
		err_set(err, 400, "cannot compare %s and %s: %s", path, other, strerrordesc_np(errno));
	if (b != NULL)
		fclose(b);
	if (a != NULL)
		fclose(a);
	return rc;
}
