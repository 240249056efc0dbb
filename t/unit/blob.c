#include "store/blob/blob.h"
#include "store/blob/blob_line.h"
#include "store/blob/blob_store.h"
#include "store/blob/blob_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/hex.h"
#include "remove_tree.h"
#include "tap.h"

static struct arena *a;
static struct err err;
static char root[] = "/tmp/berth-blob-XXXXXX";
static char *dir;
static struct blob_store *store;

static int
check(const char *path)
{
	struct blob_store *other = blob_store_new(a, path, "", NULL);

	return other->kind->check(other, &err);
}

static int
test(const char *path)
{
	return blob_store_test(blob_store_new(a, path, "", NULL), &err);
}

static void
test_names(void)
{
	static const char *const good[] = { "/x", "s3://abc", "s3://a.b-c/d", "s3://abc/d/e_f.G" };
	static const char *const bad[] = { "", "x", "s3:/abc", "s3://", "s3://ab", "s3://ABC", "s3://-abc",
		"s3://abc/", "s3://abc//d", "s3://abc/d/", "s3://abc/../d", "s3://abc/d e", "S3://abc" };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		is_str(blob_store_name_check(good[i]), NULL, "a store");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(blob_store_name_check(bad[i]) != NULL, "%s is none", bad[i]);
}

static char *
sha256_of(const char *bytes, size_t n)
{
	unsigned char digest[32];
	char *hex = arena_alloc(a, BLOB_HEX_SIZE);

	EVP_Digest(bytes, n, digest, NULL, EVP_sha256(), NULL);
	hex_encode(digest, sizeof(digest), hex);
	return hex;
}

static char *
file_of(const char *sha256)
{
	return arena_printf(a, "%s/%s", dir, blob_path(a, sha256));
}

static void
overwrite(const char *path, const char *bytes)
{
	int fd;

	ok(chmod(path, 0600) == 0 && (fd = open(path, O_WRONLY)) != -1 &&
	    write(fd, bytes, strlen(bytes)) == (ssize_t)strlen(bytes) && close(fd) == 0, "a disk changes it");
}

static int
count_staging(const char *path, const struct stat *st, int type)
{
	(void)path;
	(void)st;
	return type == FTW_F;
}

/* 0 files or more than 0: ftw stops at the first that returns non-zero. */
static int
some_staging(void)
{
	return ftw(arena_printf(a, "%s/staging", dir), count_staging, 4);
}

static bool
holds(const char *path, const char *bytes, size_t n)
{
	char *got = arena_alloc(a, n + 1);
	int fd = open(path, O_RDONLY);
	ssize_t have;

	if (fd == -1)
		return false;
	have = read(fd, got, n + 1);
	close(fd);
	return have == (ssize_t)n && memcmp(got, bytes, n) == 0;
}

static struct blob_staging *
stage(struct arena *in, const char *bytes, size_t n)
{
	struct blob_staging *s = NULL;

	if (blob_stage(in, store, &s, &err) == -1 ||
	    blob_stage_write(s, slice_of(bytes, n / 2), &err) == -1 ||
	    blob_stage_write(s, slice_of(bytes + n / 2, n - n / 2), &err) == -1) {
		printf("# %s\n", err.detail);
		abort();
	}
	return s;
}

static void
test_check(void)
{
	struct blob_staging *s;

	is_int(blob_stage(a, store, &s, &err), -1, "no store yet");
	is_int(err.status, 500, "is 500");
	is_int(store->kind->check(store, &err), 0, "makes the store");
	is_int(store->kind->check(store, &err), 0, "and finds it");
	is_int(access(arena_printf(a, "%s/staging", dir), F_OK), 0, "staging is there");
	is_int(check(arena_printf(a, "%s/no/such", root)), -1, "no parent");
	is_int(err.status, 500, "is 500");
	ok(strstr(err.detail, "/no/such: No such file") != NULL, "and names it");
	is_int(blob_store_test(store, &err), 0, "it can be written to");
	is_int(test(arena_printf(a, "%s/new//", root)), 0, "this one can be made");
	is_int(access(arena_printf(a, "%s/new", root), F_OK), -1, "but is not");
	is_int(test("new"), 0, "also where the directory is the current one");
	is_int(test(arena_printf(a, "%s/no/such", root)), -1, "this one cannot");
	is_int(check("/proc"), -1, "a place that cannot be written");
}

static void
test_keep(void)
{
	static const char bytes[] = "\0crate bytes\xff";
	size_t n = sizeof(bytes) - 1;
	char *want = sha256_of(bytes, n), *path = file_of(want);
	struct arena *request = arena_new();
	struct blob_staging *s = stage(request, bytes, n);
	struct stat st;
	char got[32];
	int fd;

	is_str(blob_stage_sha256(s), want, "SHA-256");
	is_str(blob_stage_sha256(s), want, "SHA-256 again");
	is_int(blob_stage_size(s), n, "size");
	fd = blob_stage_fd(s, &err);
	ok(fd != -1, "a descriptor to read");
	is_int(read(fd, got, sizeof(got)), n, "reads all");
	ok(memcmp(got, bytes, n) == 0, "the same bytes");
	is_int(blob_stage_fd(s, &err), fd, "again the same");
	is_int(read(fd, got, 1), 1, "from the start");
	ok(write(fd, "x", 1) == -1, "it cannot write");
	ok(access(path, F_OK) == -1, "nothing is there before it is kept");
	is_int(blob_stage_keep(s, &err), 0, "kept");
	ok(holds(path, bytes, n), "the blob has the bytes");
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0640, "the umask decides the mode");
	is_int(blob_stage_confirm(s, &err), 0, "it is there");
	ok(stat(path, &st) == 0 && st.st_nlink == 2, "beside the staging file");
	is_int(unlink(path), 0, "a collector takes it away");
	is_int(blob_stage_confirm(s, &err), 0, "it is there again");
	ok(holds(path, bytes, n), "with its bytes");
	arena_free(request);
	ok(holds(path, bytes, n), "the blob outlives the request");
	ok(stat(path, &st) == 0 && st.st_nlink == 1, "with one name");
	is_int(some_staging(), 0, "nothing is left in staging");
}

static void
test_prepare(void)
{
	static const char bytes[] = "in a prepared store";
	size_t n = sizeof(bytes) - 1;
	char *path = file_of(sha256_of(bytes, n)), *second = arena_strndup(a, path, strlen(dir) + 6);
	char *first = arena_strndup(a, path, strlen(dir) + 3);
	struct arena *request = arena_new();
	int missing = 0;

	is_int(blob_store_prepare(store, &err), 0, "prepares the store");
	for (int i = 0; i < 256; i++)
		missing += access(arena_printf(a, "%s/%02x", dir, i), F_OK) == -1;
	is_int(missing, 0, "all directories are there");
	is_int(access(second, F_OK), -1, "not those below");
	is_int(blob_stage_keep(stage(request, bytes, n), &err), 0, "kept");
	ok(holds(path, bytes, n), "the blob has the bytes");
	ok(unlink(path) == 0 && rmdir(second) == 0 && rmdir(first) == 0, "somebody removes a directory");
	is_int(blob_stage_keep(stage(request, bytes, n), &err), 0, "kept again");
	ok(holds(path, bytes, n), "the blob has the bytes");
	arena_free(request);
}

static void
test_same_bytes(void)
{
	static const char bytes[] = "the same";
	size_t n = sizeof(bytes) - 1;
	char *path = file_of(sha256_of(bytes, n));
	struct arena *request = arena_new();
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct blob_staging *third, *fourth;
	struct stat first, second;

	is_int(blob_stage_keep(stage(request, bytes, n), &err), 0, "first");
	stat(path, &first);
	is_int(utimensat(AT_FDCWD, path, old, 0), 0, "grows old");
	is_int(blob_stage_keep(stage(request, bytes, n), &err), 0, "second");
	ok(stat(path, &second) == 0 && first.st_ino == second.st_ino, "the first file stays");
	ok(second.st_mtime > 1000, "its time is renewed");
	is_int(truncate(path, 3), 0, "a disk loses some of it");
	third = stage(request, bytes, n);
	is_int(blob_stage_keep(third, &err), 0, "third");
	ok(holds(path, bytes, n), "a file of another size is replaced");
	ok(blob_is_sound(request, store, blob_stage_sha256(third)), "this one is sound");
	overwrite(path, "The same");
	ok(!blob_is_sound(request, store, blob_stage_sha256(third)), "one with another byte is not");
	is_int(blob_stage_keep(stage(request, bytes, n), &err), 0, "once more");
	ok(holds(path, bytes, n), "it is replaced, too");
	is_int(blob_stage_confirm(third, &err), 0, "it is there");
	is_int(unlink(path), 0, "a collector takes it away");
	is_int(blob_stage_confirm(third, &err), -1, "there is no second one to put there");
	is_int(err.status, 503, "is 503");
	fourth = stage(request, bytes, n);
	is_int(blob_stage_keep(fourth, &err), 0, "fourth");
	is_int(truncate(path, 3), 0, "a disk loses some of it");
	is_int(blob_stage_confirm(fourth, &err), -1, "which is noticed");
	is_int(err.status, 500, "is 500");
	arena_free(request);
	is_int(some_staging(), 0, "nothing is left in staging");
}

static void
test_given_up(void)
{
	struct arena *request = arena_new();
	struct blob_staging *s = stage(request, "abc", 3);

	ok(blob_stage_fd(s, &err) != -1, "opened for reading too");
	ok(some_staging() > 0, "it is in staging");
	arena_reset(request);
	is_int(some_staging(), 0, "and gone with the arena");
	is_str(blob_stage_sha256(stage(request, "", 0)), sha256_of("", 0), "no bytes");
	arena_free(request);
	is_int(some_staging(), 0, "gone as well");
}

static void
test_errors(void)
{
	struct arena *request = arena_new();
	struct rlimit was, small;
	struct blob_staging *s = stage(request, "abcdef", 6);
	char *first = arena_printf(a, "%s/%.2s", dir, sha256_of("abcdef", 6));
	int fd;

	/* a file where the first directory should be */
	fd = open(first, O_CREAT | O_WRONLY, 0600);
	ok(fd != -1, "a file is in the way");
	close(fd);
	is_int(blob_stage_keep(s, &err), -1, "it cannot be kept");
	is_int(err.status, 500, "is 500");
	ok(strstr(err.pub, dir) == NULL, "the client does not learn the path");
	unlink(first);
	is_int(blob_stage_keep(s, &err), -1, "nobody tries again: an fsync that failed would succeed");
	is_int(blob_stage_keep(stage(request, "abcdef", 6), &err), 0, "another one can be kept once it is gone");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	small = was;
	small.rlim_cur = 4;
	setrlimit(RLIMIT_FSIZE, &small);
	is_int(blob_stage(request, store, &s, &err), 0, "another");
	is_int(blob_stage_write(s, slice_of("abcdef", 6), &err), -1, "a write that fails half-way");
	is_int(err.status, 500, "is 500");
	errno = 0;
	is_int(blob_line_write(dir, "short", "abcdef", true, &err), -1, "a line of which the disk takes a part");
	ok(strstr(err.detail, "File too large") != NULL, "says why: %s", err.detail);
	setrlimit(RLIMIT_FSIZE, &was);
	arena_free(request);
	is_int(some_staging(), 0, "and leaves nothing");
}

/* The device that is always full. */
static void
test_full(void)
{
	struct arena *request = arena_new();
	struct blob_staging *s = stage(request, "x", 1);
	int full = open("/dev/full", O_WRONLY), fd = -1;
	char path[64], target[PATH_MAX];

	/* finds the descriptor that the staging writes to, and points it there */
	for (int i = 3; i < 64 && fd == -1; i++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", i);
		n = readlink(path, target, sizeof(target) - 1);
		if (n > 0 && memmem(target, (size_t)n, "/staging/", 9) != NULL)
			fd = i;
	}
	ok(fd != -1 && full != -1 && dup2(full, fd) == fd, "the disk is full");
	is_int(blob_stage_write(s, slice_of("more", 4), &err), -1, "a write fails");
	is_int(err.status, 503, "is 503");
	ok(strstr(err.detail, "No space left") != NULL, "the detail says why");
	close(full);
	arena_free(request);
}

static void
test_sweep(void)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	char *ours = arena_printf(a, "%s/staging/%032d", dir, 7);
	char *young = arena_printf(a, "%s/staging/%032d", dir, 8);
	char *other = arena_printf(a, "%s/staging/README", dir);
	char *sent = arena_printf(a, "%s/staging/%032d" BLOB_SENT, dir, 9);
	char *sent_now = arena_printf(a, "%s/staging/%032d" BLOB_SENT, dir, 10);
	char *unknown = arena_printf(a, "%s/staging/%032d.old", dir, 11);
	/* a blob that a restore, a copy or a repair of the store was bringing: store/backup/backup_copy.c */
	char *brought = arena_printf(a, "%s/staging/%064d", dir, 12);
	char *bringing = arena_printf(a, "%s/staging/%064d", dir, 13);
	char *paths[] = { ours, young, other, sent, sent_now, unknown, brought, bringing };
	struct timespec hours[2] = { { .tv_sec = time(NULL) - 7200 }, { .tv_sec = time(NULL) - 7200 } };
	struct timespec late[2] = { { .tv_sec = time(NULL) - 90 }, { .tv_sec = time(NULL) - 90 } };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		close(open(paths[i], O_CREAT | O_WRONLY, 0600));
	utimensat(AT_FDCWD, ours, old, 0);
	utimensat(AT_FDCWD, other, old, 0);
	utimensat(AT_FDCWD, unknown, old, 0);
	utimensat(AT_FDCWD, brought, old, 0);
	utimensat(AT_FDCWD, bringing, hours, 0);
	utimensat(AT_FDCWD, young, late, 0);
	utimensat(AT_FDCWD, sent, late, 0);
	is_int(blob_sweep_staging(dir, 3600, &err), 3, "three are swept");
	ok(access(ours, F_OK) == -1, "the old one");
	ok(access(brought, F_OK) == -1, "an old one with the name of a blob");
	ok(access(bringing, F_OK) == 0, "not one of today: who brings many blobs needs time");
	ok(access(sent, F_OK) == -1, "one that nginx was given more than a minute ago");
	ok(access(sent_now, F_OK) == 0, "not one that it was given just now");
	ok(access(unknown, F_OK) == 0, "not one with another end");
	ok(access(young, F_OK) == 0, "not the young one");
	ok(access(other, F_OK) == 0, "not what is none of ours");
	is_int(blob_sweep_staging(root, 0, &err), -1, "no staging there");
}

static void
test_path(void)
{
	char sha256[BLOB_HEX_SIZE];

	memset(sha256, '0', 64);
	sha256[64] = '\0';
	memcpy(sha256, "abcd", 4);
	is_str(blob_path(a, sha256), arena_printf(a, "ab/cd/%s", sha256), "path of a blob");
}

int
main(void)
{
	a = arena_new();
	umask(0027);
	if (mkdtemp(root) == NULL)
		return 1;
	test_names();
	dir = arena_printf(a, "%s/store", root);
	store = blob_store_new(a, dir, "", NULL);
	test_check();
	test_path();
	test_keep();
	test_same_bytes();
	test_given_up();
	test_errors();
	test_full();
	test_sweep();
	/* the tests before run without, as an import does */
	test_prepare();
	remove_tree(root);
	arena_free(a);
	return tap_done();
}
