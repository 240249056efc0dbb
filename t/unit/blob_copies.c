/* A node's copies of an object store: which are removed, and which stay. */

#include "store/blob/blob_copies.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "remove_tree.h"
#include "store/blob/blob.h"
#include "store/blob/blob_objects.h"
#include "tap.h"

enum { KIB = 1024, HOUR = 3600 };

static struct arena *a;
static struct err err;
static char root[] = "/tmp/berth-copies-XXXXXX";

static const char *
name_of(char digit)
{
	char *name = arena_alloc(a, BLOB_HEX_SIZE);

	memset(name, digit, BLOB_HEX_SIZE - 1);
	return name;
}

static const char *
path_of(char digit)
{
	return arena_printf(a, "%s/%s", root, blob_path(a, name_of(digit)));
}

/* A copy of 64 KiB, last used some seconds ago. */
static void
make(char digit, time_t ago)
{
	const struct timespec times[] = { { .tv_sec = time(NULL) - ago }, { .tv_sec = time(NULL) - ago } };
	static const char bytes[64 * KIB] = { 1 };
	int fd;

	(void)mkdir(arena_printf(a, "%s/%c%c", root, digit, digit), 0700);
	(void)mkdir(arena_printf(a, "%s/%c%c/%c%c", root, digit, digit, digit, digit), 0700);
	fd = open(path_of(digit), O_WRONLY | O_CREAT, 0600);
	ok(fd != -1 && write(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes) && futimens(fd, times) == 0,
	    "a copy");
	close(fd);
}

static bool
is_there(char digit)
{
	return access(path_of(digit), F_OK) == 0;
}

int
main(void)
{
	struct blob_store store = { .kind = &blob_objects, .name = "s3://abc", .dir = root };
	int64_t files, bytes, removed;
	int fd;

	a = arena_new();
	ok(mkdtemp(root) != NULL, "a directory");
	make('a', 10 * HOUR);
	make('b', 3 * HOUR);
	make('c', 2 * HOUR);
	make('d', 5);
	is_int(blob_copies_count(&store, &files, &bytes, &err), 0, "counted");
	is_int(files, 4, "four copies");
	ok(bytes >= 4 * 64 * KIB, "and what they need");
	is_int(blob_copies_trim(&store, bytes, 100 * HOUR, &removed, &err), 0, "there is room");
	is_int(removed, 0, "nothing goes");
	is_int(blob_copies_trim(&store, bytes, 5 * HOUR, &removed, &err), 0, "one is old");
	ok(removed == 1 && !is_there('a'), "it goes");
	is_int(blob_copies_trim(&store, bytes / 2, 100 * HOUR, &removed, &err), 0, "there is room for one");
	ok(removed == 2 && !is_there('b') && !is_there('c'), "the oldest go");
	is_int(blob_copies_trim(&store, 0, 0, &removed, &err), 0, "there is none");
	ok(removed == 0 && is_there('d'), "one that was used just now stays");
	make('b', 3 * HOUR);
	fd = open(arena_printf(a, "%s/" STORE_ID_FILE, root), O_WRONLY | O_CREAT, 0600);
	close(fd);
	is_int(blob_copies_trim(&store, 0, 0, &removed, &err), 0, "a directory that is a store");
	ok(removed == 0 && is_there('b'), "keeps all");
	is_int(store.kind->check(&store, &err), -1, "and is refused");
	ok(strstr(err.detail, "is itself a store") != NULL, "with a reason");
	remove_tree(root);
	arena_free(a);
	return tap_done();
}
