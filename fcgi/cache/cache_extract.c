#include "cache/cache_extract.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/hex.h"
#include "base/log.h"
#include "cache/cache_dir_own.h"

enum {
	DIR_MODE = 0700,
	KEY_DIGITS = 2 * SHA256_SIZE,
	ALL_MAX = CACHE_EXTRACT_FILES_MAX + 1024 /* each worker may have added one */
};

/* A file that may be removed. */
struct kept {
	const char *path; /* below extract/ */
	struct timespec at;
	size_t size;
};

struct all {
	struct arena *arena;
	struct kept *v; /* has room for ALL_MAX */
	size_t n;
	size_t bytes;
};

/* The directory of all extracts.  -1: there is none, as without a keeper. */
static int
open_all(struct arena *a, const char *cache_dir)
{
	return cache_dir[0] == '\0' ? -1
	    : open(arena_printf(a, "%s/extract", cache_dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* "7/KEY" */
static char *
path_of(struct arena *a, const struct cache_extract *e)
{
	char key[KEY_DIGITS + 1];

	hex_encode(e->key, sizeof(e->key), key);
	return arena_printf(a, "%" PRId64 "/%s", e->project_id, key);
}

/* The file: a digest of the bytes, and the bytes.  False: errno. */
static bool
seal(struct arena *a, struct slice bytes, struct slice *file)
{
	char *p = arena_alloc(a, SHA256_SIZE + bytes.n);

	memcpy(p + SHA256_SIZE, bytes.p, bytes.n);
	*file = slice_of(p, SHA256_SIZE + bytes.n);
	if (sha256_digest(bytes.p, bytes.n, (unsigned char *)p))
		return true;
	errno = ENOTSUP;
	return false;
}

/* False: the file is not whole, as after a crash of the machine, since nobody syncs it to the disk. */
static bool
unseal(struct slice file, struct slice *bytes)
{
	unsigned char digest[SHA256_SIZE];

	if (file.n < SHA256_SIZE)
		return false;
	*bytes = slice_of(file.p + SHA256_SIZE, file.n - SHA256_SIZE);
	return sha256_digest(bytes->p, bytes->n, digest) && memcmp(digest, file.p, SHA256_SIZE) == 0;
}

bool
cache_extract_read(struct arena *a, const struct cache_extract *e, size_t max, struct slice *out)
{
	int root = open_all(a, e->dir);
	int fd = openat(root, path_of(a, e), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	char *bytes = NULL;
	size_t n = 0;

	if (root != -1)
		close(root);
	if (fd == -1)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size <= SHA256_SIZE + (uint64_t)max) {
		bytes = arena_alloc(a, (size_t)st.st_size + 1);
		if (disk_read_at(fd, 0, bytes, (size_t)st.st_size, &n) == -1)
			n = 0;
	}
	close(fd);
	return unseal(slice_of(bytes, n), out);
}

static int
compare_times(const void *left, const void *right)
{
	const struct kept *a = left, *b = right;

	if (a->at.tv_sec != b->at.tv_sec)
		return a->at.tv_sec < b->at.tv_sec ? -1 : 1;
	return (a->at.tv_nsec > b->at.tv_nsec) - (a->at.tv_nsec < b->at.tv_nsec);
}

/* Adds the files of one project, and removes an empty folder. */
static void
find_files(struct all *all, int root, const char *project)
{
	DIR *dir = cache_dir_list(root, project);
	const char *name;
	struct stat st;
	size_t n = all->n;

	if (dir == NULL)
		return;
	while (all->n < ALL_MAX && disk_next_name(dir, &name) == 1) {
		if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		all->v[all->n++] = (struct kept) { arena_printf(all->arena, "%s/%s", project, name), st.st_mtim,
			(size_t)st.st_size };
		all->bytes += (size_t)st.st_size;
	}
	closedir(dir);
	/* this fails if a file has come meanwhile */
	if (all->n == n)
		(void)unlinkat(root, project, AT_REMOVEDIR);
}

/* Removes the oldest files until there is room for some new ones. */
static void
make_room(struct all *all, int root)
{
	enum { PART = 8 };
	size_t bytes = CACHE_EXTRACT_BYTES_MAX, files = CACHE_EXTRACT_FILES_MAX;

	if (all->bytes <= bytes && all->n <= files)
		return;
	bytes -= bytes / PART;
	files -= files / PART;
	qsort(all->v, all->n, sizeof(*all->v), compare_times);
	for (size_t i = 0; i < all->n && (all->bytes > bytes || all->n - i > files); i++) {
		(void)unlinkat(root, all->v[i].path, 0);
		all->bytes -= all->v[i].size;
	}
}

static void
bound_all(int root)
{
	struct all all = { .arena = arena_new() };
	DIR *dir = cache_dir_list(root, ".");
	const char *project;

	all.v = arena_calloc(all.arena, ALL_MAX, sizeof(*all.v));
	while (dir != NULL && disk_next_name(dir, &project) == 1)
		find_files(&all, root, project);
	if (dir != NULL)
		closedir(dir);
	make_room(&all, root);
	arena_free(all.arena);
}

void
cache_extract_write(struct arena *a, const struct cache_extract *e, struct slice bytes)
{
	static unsigned written;
	const char *folder = arena_printf(a, "%" PRId64, e->project_id);
	int root = open_all(a, e->dir);
	struct slice file;
	bool kept;

	if (root == -1)
		return;
	/* the temporary file is in the folder: it counts if a worker is killed and leaves it */
	kept = seal(a, bytes, &file) && (mkdirat(root, folder, DIR_MODE) == 0 || errno == EEXIST) &&
	    cache_dir_put(root, arena_printf(a, "%s/new-%ld", folder, (long)getpid()), path_of(a, e),
	        CACHE_DIR_OWN_MODE, file, NULL) == 0;
	/* a keeper may have removed the folder meanwhile */
	if (!kept && errno != ENOENT)
		log_warn("cache_dir: extract/%s: %s", path_of(a, e), strerrordesc_np(errno));
	else if (kept && (bytes.n > CACHE_EXTRACT_SMALL || ++written % CACHE_EXTRACT_BOUND_EVERY == 0))
		bound_all(root);
	close(root);
}
