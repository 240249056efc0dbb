/* store/backup/backup_target, backup_manifest: what a bucket does not take, and many backups. */
#include "store/backup/backup_manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "net/s3_request.h"
#include "remove_tree.h"
#include "tap.h"

#define GIB ((int64_t)1 << 30)

/* An object store that nobody serves: whatever gets as far as a request has the status 503. */
static const struct s3_conf nowhere = { .keys = "backup", .endpoint = "http://127.0.0.1:1", .region = "x",
	.prefix = "", .credentials = "", .ca_file = "", .path_style = true, .patience_ms = 1 };

enum { MANY = 100001, MS = 1000, MINUTE = 60 };

/* Lists more backups than anybody has, the newest first. */
static int
list_many(const struct backup_target *target, struct arena *list_arena, backup_each *each, void *arg,
    struct err *list_err)
{
	(void)target;
	for (int i = MANY; i-- > 0;) {
		const char *name = arena_printf(list_arena, "20260101T00%02d%02d.%03dZ.json", i / MS / MINUTE,
		    i / MS % MINUTE, i % MS);

		if (each(arg, name, list_err) == -1)
			return -1;
	}
	return 0;
}

static void
test_names(void)
{
	static const struct backup_target_kind many = { .list = list_many };
	const struct backup_target target = { .kind = &many };
	struct arena *a = arena_new();
	struct err err = { 0 };
	const char **names;
	size_t n = 0;

	is_int(backup_names(a, &target, &names, &n, &err), 0, "the names of many backups");
	is_int(n, MANY, "  all of them");
	is_str(names[0], "20260101T000000.000Z", "  the oldest first");
	is_str(names[n - 1], "20260101T000140.000Z", "  the newest last");
	arena_free(a);
}

static void
test_too_large(void)
{
	static const char sha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	struct arena *a = arena_new();
	struct err err = { 0 };
	struct backup_target target;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setenv("AWS_ACCESS_KEY_ID", "x", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "x", 1);
	is_int(backup_target_find(a, "s3://bucket/backups", &nowhere, &target, &err), 0, "a bucket");
	is_int(target.put_max, 5 * GIB, "Amazon's limit");
	target.put_max = GIB;
	is_int(target.kind->keep(&target, a, "x.dump", fd, GIB + 1, sha256, &err), -1, "a dump that is too large");
	is_int(err.status, 409, "  is refused");
	is_str(err.pub, "s3://bucket/backups/x.dump has 1073741825 bytes, and one request to an object store "
	    "carries at most 1 GiB: back up to a directory, and copy the directory to s3://bucket/backups",
	    "  and why");
	is_int(target.kind->keep(&target, a, "x.dump", fd, GIB, sha256, &err), -1, "one byte less");
	is_int(err.status, 503, "  is uploaded, if the store answers");
	close(fd);
	arena_free(a);
}

/* A disk that is nearly full takes the first bytes of a write, and only the next write says why. */
static void
test_short_write(void)
{
	static const char text[] = "more bytes than the file may have";
	static const char *const why = "File too large";
	char root[] = "/tmp/berth-backup-XXXXXX";
	const struct rlimit small = { 10, RLIM_INFINITY };
	struct arena *a = arena_new();
	struct backup_manifest m = { .name = "20260101T000000.000Z", .registry = "x", .created_at = "x",
		.program = "x" };
	struct backup_target target;
	struct backup_copy *copy;
	unsigned char digest[SHA256_SIZE];
	char sha256[BACKUP_DIGEST_SIZE];
	struct err err = { 0 };
	struct rlimit before;
	bool good;
	char *from;
	int fd;

	if (!ok(mkdtemp(root) != NULL, "a directory"))
		return;
	from = arena_printf(a, "%s/from", root);
	fd = open(from, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ok(write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0 &&
	    sha256_digest(text, strlen(text), digest), "a blob");
	hex_encode(digest, sizeof(digest), sha256);
	is_int(backup_target_find(a, root, &nowhere, &target, &err), 0, "a target");
	is_int(target.kind->copier(&target, a, &copy, &err), 0, "a copier");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	setrlimit(RLIMIT_FSIZE, &small);
	errno = 0;
	is_int(backup_copy_add(a, copy, from, sha256, (int64_t)strlen(text), &good, &err), -1, "a part of the blob");
	ok(strstr(err.detail, why) != NULL, "  says why: %s", err.detail);
	errno = 0;
	is_int(backup_manifest_write(a, &target, &m, &err), -1, "a part of the manifest");
	ok(strstr(err.detail, why) != NULL, "  says why: %s", err.detail);
	setrlimit(RLIMIT_FSIZE, &before);
	remove_tree(root);
	arena_free(a);
}

/* A manifest is read as a whole, or the error says how long it may be. */
static void
test_long_manifest(void)
{
	char root[] = "/tmp/berth-backup-XXXXXX";
	struct arena *a = arena_new();
	struct backup_manifest m;
	struct backup_target target;
	struct err err = { 0 };
	int fd;

	if (!ok(mkdtemp(root) != NULL, "a directory"))
		return;
	fd = open(arena_printf(a, "%s/20260101T000000.000Z.json", root), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ok(ftruncate(fd, 65537) == 0 && close(fd) == 0, "a file");
	is_int(backup_target_find(a, root, &nowhere, &target, &err), 0, "a target");
	is_int(backup_manifest_read(a, &target, NULL, &m, &err), -1, "is no manifest");
	is_int(err.status, 409, "the file is to blame");
	ok(strstr(err.pub, "T000000.000Z.json is longer than 65536 bytes") != NULL, "says how long it may be");
	remove_tree(root);
	arena_free(a);
}

int
main(void)
{
	test_long_manifest();
	test_names();
	test_too_large();
	test_short_write();
	return tap_done();
}
