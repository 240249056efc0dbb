#include "store/blob/blob_store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/slice.h"
#include "store/blob/blob.h"
#include "store/blob/blob_dir.h"
#include "store/blob/blob_files.h"
#include "store/blob/blob_objects.h"
#include "store/blob/blob_stage.h"

static bool
is_objects(const char *name)
{
	return strncmp(name, BLOB_STORE_S3, strlen(BLOB_STORE_S3)) == 0;
}

/* Amazon's rules for the names of buckets, but for those that only its own service knows. */
static bool
is_bucket(struct slice name)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	enum { SHORTEST = 3, LONGEST = 63 };

	if (name.n < SHORTEST || name.n > LONGEST || name.p[0] == '.' || name.p[0] == '-')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		if (memchr(bytes, name.p[i], sizeof(bytes) - 1) == NULL)
			return false;
	}
	return true;
}

static bool
is_prefix(const char *prefix)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";
	enum { LONGEST = 200 };
	size_t n = strlen(prefix);

	return n > 0 && n <= LONGEST && strspn(prefix, bytes) == n && prefix[0] != '/' && prefix[n - 1] != '/' &&
	       strstr(prefix, "//") == NULL && strstr(prefix, "..") == NULL;
}

const char *
blob_store_name_check(const char *name)
{
	const char *bucket = name + strlen(BLOB_STORE_S3);
	size_t n;

	if (!is_objects(name))
		return name[0] == '/' ? NULL : "must be an absolute path, or s3://BUCKET[/PREFIX]";
	n = strcspn(bucket, "/");
	if (!is_bucket(slice_of(bucket, n)))
		return "must name a bucket: 3 to 63 lower-case letters, digits, dots and hyphens";
	if (bucket[n] == '/' && !is_prefix(bucket + n + 1))
		return "must have a prefix of letters, digits and - _ . /, without a slash at its ends";
	return NULL;
}

struct blob_store *
blob_store_new(struct arena *a, const char *name, const char *copies, const struct s3_conf *conf)
{
	struct blob_store *store = arena_alloc(a, sizeof(*store));
	struct s3_conf *own;
	const char *bucket = name + strlen(BLOB_STORE_S3);
	size_t n;

	*store = (struct blob_store) { .kind = &blob_files, .name = arena_strdup(a, name),
		.dir = arena_strdup(a, name) };
	if (!is_objects(name))
		return store;
	own = arena_alloc(a, sizeof(*own));
	*own = *conf;
	n = strcspn(bucket, "/");
	own->bucket = arena_strndup(a, bucket, n);
	own->prefix = bucket[n] == '/' ? arena_strdup(a, bucket + n + 1) : "";
	store->kind = &blob_objects;
	store->dir = arena_strdup(a, copies);
	store->s3 = s3_new(a, own);
	return store;
}

int64_t
blob_store_set_patience(struct blob_store *store, int64_t ms)
{
	return store->s3 != NULL ? s3_set_patience(store->s3, ms) : 0;
}

void
blob_store_set_deadline(struct blob_store *store, int64_t us)
{
	if (store->s3 != NULL)
		s3_set_deadline(store->s3, us);
}

void
blob_store_watch(struct blob_store *store, s3_watch_fn *watch, void *arg)
{
	if (store->s3 == NULL)
		return;
	store->s3->watch = watch;
	store->s3->watch_arg = arg;
}

void
blob_store_be_patient(struct blob_store *store)
{
	enum { DAY_MS = 86400 * 1000 };

	(void)blob_store_set_patience(store, DAY_MS);
}

/* The directory that the path is in. */
static void
write_parent(const char *path, char out[PATH_MAX])
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	while (n > 1 && path[n - 1] == '/')
		n--;
	snprintf(out, PATH_MAX, "%.*s", n > 0 ? (int)n : 1, n > 0 ? path : ".");
}

int
blob_store_test(const struct blob_store *store, struct err *err)
{
	char parent[PATH_MAX];

	if (access(store->dir, W_OK | X_OK) == 0)
		return 0;
	if (errno != ENOENT)
		return err_sys(err, "%s: cannot write to %s", store->kind->dir_key, store->dir);
	write_parent(store->dir, parent);
	return access(parent, W_OK | X_OK) == 0 ? 0 :
	    err_sys(err, "%s: %s does not exist, and cannot be made in %s", store->kind->dir_key, store->dir,
	    parent);
}

int
blob_store_probe(struct arena *a, const struct blob_store *store, bool write, struct err *err)
{
	static const char block[512];
	struct blob_staging *probe;
	int fd;

	if (!write) {
		if (blob_dir_open(AT_FDCWD, store->dir, &fd, err) == -1)
			return -1;
		close(fd);
		return 0;
	}
	if (blob_stage(a, store, &probe, err) == -1)
		return -1;
	/* a full disk lets a file be made, but nothing be written to it */
	return blob_stage_write(probe, slice_of(block, sizeof(block)), err);
}

int
blob_store_ask(struct arena *a, const struct blob_store *store, bool *refused, struct err *err)
{
	struct blob_stat st;
	char id[2];

	*refused = false;
	if (store->s3 == NULL)
		return 0;
	if (store->kind->read_line(store, STORE_ID_FILE, id, sizeof(id), err) != -1 &&
	    store->kind->stat(store, a, STORE_ID_FILE, &st, err) != -1)
		return 0;
	*refused = store->s3->refused;
	return -1;
}

int
blob_store_prepare(struct blob_store *store, struct err *err)
{
	enum { FIRSTS = 256, DIR_MODE = 0777 /* the rest is left to the umask, as in blob_dir_make() */ };
	char first[3];
	int root, rc = 0;

	if (store->kind->copies)
		return 0;
	if (blob_dir_open(AT_FDCWD, store->dir, &root, err) == -1)
		return -1;
	/* not blob_dir_make() and blob_dir_sync(), which have the fault points of a publish */
	for (unsigned i = 0; rc == 0 && i < FIRSTS; i++) {
		snprintf(first, sizeof(first), "%02x", i);
		if (mkdirat(root, first, DIR_MODE) == -1 && errno != EEXIST)
			rc = blob_error(err, "mkdir");
	}
	if (rc == 0 && fsync(root) == -1)
		rc = blob_error(err, "fsync");
	close(root);
	store->prepared = rc == 0;
	return rc;
}

int
blob_store_free(const struct blob_store *store, int64_t *bytes, struct err *err)
{
	return disk_free(store->dir, bytes) == -1 ? blob_error(err, "statvfs") : 0;
}
