/* cache/: files and grants for nginx, their lease, hints of workers; what keepers are told. */
#include "cache/cache_dir.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/cache_dir_own.h"
#include "cache/cache_invalidate.h"
#include "cache/cache_message.h"
#include "cache/cache_tree.h"
#include "remove_tree.h"
#include "tap.h"

static struct arena *a;
static struct err err;
static char root[] = "/tmp/berth-cache-XXXXXX";

static bool
there(const char *path)
{
	struct stat st;

	return lstat(arena_printf(a, "%s/%s", root, path), &st) == 0;
}

static struct cache_file
file(int64_t project, const char *name, const char *version)
{
	struct cache_file f = { .namespace = project };

	snprintf(f.name, sizeof(f.name), "%s", name);
	snprintf(f.version, sizeof(f.version), "%s", version);
	return f;
}

static int
remove_index(struct cache_dir *d, const char *name, bool *was)
{
	struct cache_file f = file(7, name, "");

	return cache_tree_remove_index(d, &f, was, &err);
}

static void
test_open(struct cache_dir **d)
{
	static const char *const moved[] = { "", "now", "stale", "trash", "grant", "project", "group", "lock",
		"hint", "node" };
	const char *aside = arena_printf(a, "%s-aside", root);
	struct cache_dir *second = NULL;
	char *node;

	is_int(cache_dir_open("/nonexistent/x", d, &err), -1, "no directory");
	is_int(err.status, 500, "500");
	is_str(err.detail, "cache_dir: /nonexistent/x: No such file or directory; make the directory and give it "
	    "to the pool's user", "with path and remedy");
	mkdir(arena_printf(a, "%s/lock", root), 0700);
	is_int(cache_dir_open(root, d, &err), -1, "something in the lock's place");
	is_str(err.detail,
	    arena_printf(a, "cache_dir: %s/lock: Is a directory; stop the pool, and remove it", root),
	    "with path and remedy");
	rmdir(arena_printf(a, "%s/lock", root));
	is_int(cache_dir_open(root, d, &err), 0, "opened");
	node = arena_strdup(a, cache_dir_node(*d));
	is_int((long)strlen(node), 32, "it has a name");
	is_int(cache_dir_open(root, &second, &err), 0, "a second time: no error");
	ok(second == NULL, "but the lock is taken");
	if (symlink("../grant/x", arena_printf(a, "%s/stale/1000", root)) == -1)
		exit(EXIT_FAILURE);
	cache_dir_close(*d);
	is_int(cache_dir_open(root, d, &err), 0, "once it is given back it is opened");
	is_int(cache_dir_end_stale(*d, &err), 0, "what the keeper before has left");
	ok(!there("stale/1000"), "is not sent");
	is_str(cache_dir_node(*d), node, "the name is the same");
	is_int(cache_dir_clear(*d, &err), 0, "it begins");
	ok(cache_dir_is_intact(*d), "it is intact");
	for (size_t i = 0; i < sizeof(moved) / sizeof(*moved); i++) {
		const char *here = moved[i][0] == '\0' ? root : arena_printf(a, "%s/%s", root, moved[i]);

		rename(here, aside);
		ok(!cache_dir_is_intact(*d), "not without its part %s", moved[i]);
		rename(aside, here);
		ok(cache_dir_is_intact(*d), "again with it");
	}
}

static void
test_files(struct cache_dir *d)
{
	struct cache_file index = file(7, "Serde_x", ""), config = file(7, "", "");
	struct cache_file crate = file(7, "Serde_x", "1.0.0+b.1");
	struct stat st = { 0 };
	bool was = false;

	is_int(cache_dir_clear(d, &err), 0, "an empty tree");
	ok(!cache_tree_has(d, &index), "nothing there");
	is_int(cache_tree_put(d, &index, slice_str("bytes"), 1234567890, &err), 0, "an index file");
	ok(cache_tree_has(d, &index) && there("project/7/index/se/rd/serde_x.gz"), "has its place");
	ok(lstat(arena_printf(a, "%s/project/7/index/se/rd/serde_x.gz", root), &st) == 0 &&
		st.st_mtime == 1234567890 && st.st_size == 5,
	    "with time and bytes");
	is_int(cache_tree_put(d, &config, slice_str("{}"), 1, &err), 0, "config.json");
	ok(there("project/7/config.json"), "has its place");
	is_int(cache_tree_put_link(d, &crate, "/nonexistent/blob", &err), 0, "a crate");
	ok(cache_tree_has(d, &crate) && there("project/7/crates/Serde_x/1.0.0+b.1"), "has its place");
	is_int(cache_tree_put_link(d, &crate, "/nonexistent/other", &err), 0, "again");

	is_int(remove_index(d, "SERDE_X", &was), 0, "an index file goes");
	ok(was && !cache_tree_has(d, &index), "and is gone");
	is_int(remove_index(d, "SERDE_X", &was), 0, "again");
	ok(!was, "it was not there");
	is_int(cache_tree_remove_crate(d, 7, "Serde_x", &err), 0, "a crate goes");
	ok(!there("project/7/crates/Serde_x"), "with all versions");
	is_int(cache_tree_remove_crate(d, 7, "Serde_x", &err), 0, "again");
	is_int(cache_tree_remove_namespace(d, 7, &err), 0, "a project goes");
	ok(!there("project/7"), "with everything");
	is_int(cache_tree_remove_namespace(d, 7, &err), 0, "again");
	while (cache_dir_has_trash(d))
		cache_dir_sweep(d);
	is_int(rmdir(arena_printf(a, "%s/trash", root)), 0, "the trash is empty");
	is_int(cache_tree_put(d, &index, slice_str("x"), 1, &err), -1, "without it nothing is written");
	is_int(cache_dir_clear(d, &err), 0, "but cleared,");
	is_int(cache_tree_put(d, &index, slice_str("x"), 1, &err), 0, "and then written");
}

static void
test_many(struct cache_dir *d)
{
	int rounds = 0;

	for (int i = 0; i < 500; i++) {
		struct cache_file w = file(9, arena_printf(a, "crate%d", i), "");

		if (cache_tree_put(d, &w, slice_str("x"), 1, &err) == -1)
			exit(EXIT_FAILURE);
	}
	is_int(cache_tree_remove_namespace(d, 9, &err), 0, "a large project goes");
	for (; cache_dir_has_trash(d); rounds++)
		cache_dir_sweep(d);
	ok(rounds > 2, "its files bit by bit");
	ok(!there("project/9"), "but at once out of the way");
}

/* Marks are as many as the limit says, whoever asks for whatever names. */
static void
test_absent(struct cache_dir *d)
{
	struct cache_file kept = file(7, "abcd", "");
	bool was = false;

	is_int(cache_tree_mark_absent(d, 7, "No_ne", &err), 0, "a crate is marked");
	ok(there("project/7/index/no/_n/no_ne.absent"), "in its place");
	is_int(cache_tree_mark_absent(d, 7, "no_NE", &err), 0, "again: no error");
	is_int(remove_index(d, "NO_ne", &was), 0, "its index file changes");
	ok(was && !there("project/7/index/no/_n/no_ne.absent"), "so the mark goes, and was there");
	is_int(cache_tree_mark_absent(d, 7, "no_ne", &err), 0, "it is marked again");
	is_int(cache_tree_mark_absent(d, 7, "abce", &err), 0, "and another one");
	is_int(cache_tree_put(d, &kept, slice_str("x"), 1, &err), 0, "beside a file");
	ok(cache_tree_mark_absent(d, 7, "../x", &err) == -1 && err.status == 400, "no name of a crate");
	/* the first one's mark has gone already, and the second makes room */
	for (int i = 0; i < CACHE_ABSENT_MAX - 1; i++) {
		if (cache_tree_mark_absent(d, 8, arena_printf(a, "zz%d", i), &err) == -1)
			exit(EXIT_FAILURE);
	}
	ok(!there("project/7/index/no"), "the oldest make room, with their folders");
	is_int(cache_tree_mark_absent(d, 8, "last", &err), 0, "one more");
	ok(!there("project/7/index/ab/ce/abce.absent") && cache_tree_has(d, &kept), "a file stays");
	ok(there("project/8/index/3/z/zz0.absent") && there("project/8/index/la/st/last.absent"),
	    "as the newer marks do");
	is_int(cache_dir_clear(d, &err), 0, "all are cleared away");
	is_int(cache_tree_mark_absent(d, 8, "zz0", &err), 0, "and it begins anew");
	ok(there("project/8/index/3/z/zz0.absent"), "with a mark");
}

static void
test_names(struct cache_dir *d)
{
	static const char *const bad[] = { "../x", "a/b", ".", "", "1a", "a\n" };
	bool was;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct cache_file crate = file(7, bad[i], "1.0.0"), index = file(7, bad[i], "");

		ok(remove_index(d, bad[i], &was) == -1, "bad name %zu: index", i);
		ok(cache_tree_remove_crate(d, 7, bad[i], &err) == -1, "bad name %zu: crate", i);
		ok(bad[i][0] == '\0' || cache_tree_put_link(d, &crate, "x", &err) == -1,
		    "bad name %zu: version", i);
		ok(bad[i][0] == '\0' || cache_tree_put(d, &index, slice_str("x"), 1, &err) == -1,
		    "bad name %zu: file", i);
	}
	is_int(cache_tree_put_link(d, &(struct cache_file) { 7, "a", "../../x" }, "x", &err), -1,
	    "nor such a version");
}

static const struct cache_who who = { "00abcdefghijklmnop" }, other = { "01abcdefghijklmnop" },
			      anyone = { CACHE_ANYONE }, network = { CACHE_NET "2001:db8::1" };

#define EPOCH "0b-a9"
#define GRANT "grant/" EPOCH "/00abcdefghijklmnop"

static int
grant(struct cache_dir *d, const struct cache_who *w, int64_t project, int64_t end)
{
	return cache_grants_add(d, cache_who_is_anyone(w) ? GRANT_ANYONE : GRANT_TOKEN, w, project, end, 2 * end,
	    &err);
}

static void
test_grants(struct cache_dir *d)
{
	struct cache_file index = file(7, "serde", "");

	is_int(cache_dir_clear(d, &err), 0, "an empty tree");
	is_int(cache_tree_put(d, &index, slice_str("x"), 1, &err), 0, "a file");
	is_int(cache_dir_lease(d, 1000, 1003, &err), 0, "a lease");
	is_int(grant(d, &who, 7, 100), 0, "without an epoch");
	ok(!cache_grants_have(d, &who, 7) && !there("now/1000"), "nothing is granted");
	is_int(cache_dir_begin_epoch(d, EPOCH, &err), 0, "an epoch");
	ok(there("now/1000") && there("now/1003") && !there("now/1004"), "the lease leads there");
	is_int(grant(d, &who, 7, 100), 0, "a grant");
	ok(cache_grants_have(d, &who, 7) && there("now/1001/00abcdefghijklmnop/7/index/se/rd/serde.gz"),
	    "the file is found through it");
	ok(!there("now/1001/01abcdefghijklmnop/7") && !there("now/1001/anyone/7"), "by nobody else");
	is_int(grant(d, &who, 8, 200), 0, "in another project");
	is_int(grant(d, &other, 7, 300), 0, "to another token");
	is_int(grant(d, &anyone, 7, 400), 0, "and to anyone");
	is_int((long)d->grants.n, 4, "there are four");

	is_int(cache_grants_end_due(d, 100, false, &err), 0, "time passes");
	ok(!cache_grants_have(d, &who, 7) && cache_grants_have(d, &who, 8), "what was due has ended");
	is_int(cache_grants_end(d, &who, &err), 0, "a token ends");
	ok(!there(GRANT) && cache_grants_have(d, &other, 7) && cache_grants_have(d, &anyone, 7),
	    "with all that it had, and nobody else");
	is_int((long)d->grants.n, 2, "two are left");
	is_int(cache_grants_end(d, &who, &err), 0, "again");
	is_int(cache_dir_end_epoch(d, &err), 0, "the epoch ends");
	ok(!cache_grants_have(d, &other, 7) && !cache_grants_have(d, &anyone, 7) && !there("now/1000"),
	    "and nothing is granted any more");
	ok(cache_tree_has(d, &index), "but the file is there");
	is_str(cache_dir_epoch(d), "", "there is no epoch");
	is_int(cache_dir_begin_epoch(d, "../x", &err), -1, "what is none does not begin");
	is_int(cache_dir_begin_epoch(d, "0c", &err), 0, "the next one");
	is_int(grant(d, &other, 7, 300), 0, "and a grant in it");
	ok(there("now/1002/01abcdefghijklmnop/7/index/se/rd/serde.gz"), "the file is found again");
}

/* The registries of groups: which change of a project removes a file of them, and which ends their grants. */
static void
test_views(struct cache_dir *d)
{
	struct cache_file files[] = { file(7, "serde_x", ""), file(-12, "serde_x", ""), file(-13, "serde_x", "") };
	struct cache_file crate = file(-12, "Serde_x", "1.0.0"), other_index = file(-12, "other", "");
	struct cache_due due = { .n = 0 };
	const struct cache_message index = { .kind = CACHE_INDEX, .id = 7, .name = "Serde_x" },
				   all = { .kind = CACHE_CRATE, .id = 7, .name = "Serde_x" },
				   view = { .kind = CACHE_VIEW, .id = 12 },
				   grants = { .kind = CACHE_VIEW_GRANTS, .id = 12 };

	is_int(cache_dir_clear(d, &err), 0, "an empty tree");
	is_int(cache_dir_lease(d, 1000, 1003, &err), 0, "a lease");
	is_int(cache_dir_begin_epoch(d, EPOCH, &err), 0, "an epoch");
	for (size_t i = 0; i < 3; i++)
		is_int(cache_tree_put(d, &files[i], slice_str("x"), 1, &err), 0, "a file of a project or group");
	is_int(cache_tree_put_link(d, &crate, "/nonexistent/blob", &err), 0, "a crate");
	is_int(cache_tree_put(d, &other_index, slice_str("x"), 1, &err), 0, "another file");
	is_int(grant(d, &who, 7, 100), 0, "a grant for the project");
	is_int(grant(d, &who, -12, 100), 0, "for a group");
	is_int(grant(d, &other, -13, 100), 0, "for another group");
	ok(there(GRANT "/g12") && there("now/1001/00abcdefghijklmnop/g12/index/se/rd/serde_x.gz"),
	    "the file of the group is found");

	is_int(cache_invalidate(d, &index, &due, &err), 0, "the index file of a project's crate changes");
	ok(!cache_tree_has(d, &files[0]) && !cache_tree_has(d, &files[1]) && !cache_tree_has(d, &files[2]),
	    "it goes from all groups");
	ok(due.n == 3 && due.v[2].namespace != 0 && strcmp(due.v[2].name, "Serde_x") == 0, "and is due in each");
	ok(cache_tree_has(d, &crate) && cache_tree_has(d, &other_index), "and nothing else");
	is_int(cache_invalidate(d, &all, &due, &err), 0, "the downloads change");
	ok(!cache_tree_has(d, &crate), "they go as well");

	is_int(cache_tree_put(d, &files[2], slice_str("x"), 1, &err), 0, "a file of the other group");
	is_int(cache_invalidate(d, &view, &due, &err), 0, "a name of the group changes");
	ok(!there("group/12") && cache_tree_has(d, &files[2]), "its files go");
	ok(cache_grants_have(d, &who, -12), "its grants stay");
	is_int(cache_invalidate(d, &grants, &due, &err), 0, "its projects change");
	ok(!cache_grants_have(d, &who, -12), "its grants go");
	ok(cache_grants_have(d, &who, 7) && cache_grants_have(d, &other, -13), "those of others stay");
	is_int((long)d->grants.n, 2, "two are left");
}

/* One kind of grants does not use the limit of another. */
static void
test_room(struct cache_dir *d)
{
	int failed = 0;

	if (cache_dir_clear(d, &err) == -1 || cache_dir_begin_epoch(d, EPOCH, &err) == -1)
		exit(EXIT_FAILURE);
	failed += grant(d, &anyone, 1, 2);
	for (int i = 1; i <= GRANTS_MAX + 2; i++)
		failed += grant(d, &who, i, i == 5 ? 1 : 2);
	is_int(failed, 0, "more than there is room for");
	is_int((long)d->grants.n, GRANTS_MAX + 1, "so many there can be of one kind");
	ok(!cache_grants_have(d, &who, 1) && !cache_grants_have(d, &who, 2) && cache_grants_have(d, &who, 3),
	    "the oldest made room");
	ok(cache_grants_have(d, &anyone, 1), "but not one of another kind");
	is_int(cache_grants_end_due(d, 1, true, &err), 0, "one of the middle ends");
	ok(!cache_grants_have(d, &who, 5), "it is gone");
	is_int(grant(d, &who, GRANTS_MAX + 3, 2), 0, "one takes its place");
	ok(cache_grants_have(d, &who, 3), "which costs nobody anything");
	is_int(grant(d, &who, GRANTS_MAX + 4, 2), 0, "and one more");
	ok(!cache_grants_have(d, &who, 3) && cache_grants_have(d, &who, 4), "the oldest makes room again");
}

static int
network_grant(struct cache_dir *d, struct cache_who *w, const char *address)
{
	return !cache_who_at(w, address) || cache_grants_add(d, GRANT_NETWORK, w, 7, 2, 2, &err) == -1;
}

/* A host of IPv6 has more addresses than there are grants: they end only grants of its own network. */
static void
test_network_room(struct cache_dir *d)
{
	struct cache_who from, v4, beside;
	char address[64];
	int failed = 0;

	if (cache_dir_clear(d, &err) == -1 || cache_dir_begin_epoch(d, EPOCH, &err) == -1)
		exit(EXIT_FAILURE);
	failed += grant(d, &who, 7, 2) + network_grant(d, &v4, "192.0.2.1") +
	    network_grant(d, &beside, "2001:db8:0:1::1");
	for (int i = 1; i <= GRANTS_PREFIX_MAX + 1; i++) {
		snprintf(address, sizeof(address), "2001:db8::%x", (unsigned)i);
		failed += network_grant(d, &from, address);
	}
	is_int(failed, 0, "a scan of addresses");
	is_int((long)d->grants.n, GRANTS_PREFIX_MAX + 3, "has so many grants and no more");
	ok(!there("grant/" EPOCH "/net-2001:db8::1") && cache_grants_have(d, &from, 7),
	    "the oldest is gone, with its folder");
	ok(cache_grants_have(d, &who, 7), "a token's stays");
	ok(cache_grants_have(d, &v4, 7) && cache_grants_have(d, &beside, 7), "so do those of other networks");
}

static void
test_holders(void)
{
	static const char *const good[] = { "192.0.2.1", "::1", "2001:db8::1", "::ffff:192.0.2.1",
		"fe80:1111:2222:3333:4444:5555:255.255.255.255" },
	    *const bad[] = { "", "unix:", "192.0.2", "192.0.2.1/..", "../..", "..", "2001:DB8::1", "fe80::1%eth0",
		"192.0.2.1 ", "net-192.0.2.1", "192.0.2.256" };
	struct cache_who w;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		ok(cache_who_at(&w, good[i]) && cache_who_valid(w.name), "%s is an address", good[i]);
		is_str(cache_who_address(&w), good[i], "the same");
		ok(!cache_who_is_token(&w) && !cache_who_is_anyone(&w), "neither a token nor anyone");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ok(!cache_who_at(&w, bad[i]), "`%s` is none", bad[i]);
		w = (struct cache_who) { .name = CACHE_NET };
		stpcpy(w.name + strlen(CACHE_NET), bad[i]);
		ok(!cache_who_valid(w.name), "nor is it valid");
	}
	ok(cache_who_address(&who) == NULL && cache_who_address(&anyone) == NULL, "others have no address");
	ok(cache_who_is_token(&who) && !cache_who_is_token(&anyone), "which of them is a token");
}

static void
test_lease(struct cache_dir *d)
{
	if (cache_dir_clear(d, &err) == -1 || cache_dir_begin_epoch(d, EPOCH, &err) == -1)
		exit(EXIT_FAILURE);
	is_int(cache_dir_lease(d, 1000, 1003, &err), 0, "a lease");
	ok(there("now/1000") && there("now/1003"), "is seen in all of its seconds");
	ok(!there("now/999") && !there("now/1004"), "and in no other");
	is_int(cache_dir_lease(d, 1002, 1005, &err), 0, "a longer one");
	ok(there("now/1005") && there("now/1000"), "with what a slow reader may still look for");
	is_int(cache_dir_lease(d, 1010, 1012, &err), 0, "much later");
	ok(!there("now/1005") && there("now/1010"), "the past is gone");
	is_int(cache_dir_lease(d, 5000, 5002, &err), 0, "by a clock that is wrong");
	is_int(cache_dir_lease(d, 1011, 1013, &err), 0, "and right again");
	ok(!there("now/5000") && there("now/1013"), "the future is gone");
	is_int(cache_dir_clear(d, &err), 0, "cleared");
	ok(!there("now/1011") && !there("grant/" EPOCH), "lease and grants are gone");
}

static void
test_full(struct cache_dir *d)
{
	static const char bytes[5000];
	const struct rlimit small = { 1000, RLIM_INFINITY };
	struct cache_file index = file(7, "large", "");
	struct rlimit before;

	signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_FSIZE, &before) == -1 || setrlimit(RLIMIT_FSIZE, &small) == -1)
		exit(EXIT_FAILURE);
	is_int(cache_tree_put(d, &index, slice_of(bytes, sizeof(bytes)), 1, &err), -1, "no room");
	setrlimit(RLIMIT_FSIZE, &before);
	ok(!cache_tree_has(d, &index), "the file is not there");
	ok(!there("trash/new"), "nor what was written of it");
}

static int
write_index(struct cache_dir *d)
{
	struct cache_file w = file(7, "serde", "");

	return cache_tree_put(d, &w, slice_str("x"), 1, &err);
}

static int
take_index(struct cache_dir *d)
{
	bool was;

	return remove_index(d, "serde", &was);
}

/* Stale mode has names of its own, and grants that end do not come back. */
static void
test_stale(struct cache_dir *d)
{
	struct cache_file index = file(7, "serde", "");

	if (cache_dir_clear(d, &err) == -1 || cache_tree_put(d, &index, slice_str("x"), 1, &err) == -1 ||
	    cache_dir_begin_epoch(d, EPOCH, &err) == -1 || cache_dir_lease(d, 1000, 1001, &err) == -1 ||
	    grant(d, &anyone, 7, 200) == -1 || grant(d, &who, 7, 100) == -1 ||
	    cache_grants_add(d, GRANT_TOKEN, &other, 7, INT64_MAX, 150, &err) == -1)
		exit(EXIT_FAILURE);
	is_int(cache_dir_stale(d, 1000, 1005, &err), 0, "stale mode begins");
	ok(there("stale/1000/anyone/7/index/se/rd/serde.gz") && there("stale/1005") && !there("stale/1006"),
	    "the seconds have names");
	ok(there("now/1001") && !there("now/1002"), "the names of the lease stay");
	is_int(cache_dir_stale(d, 1004, 1009, &err), 0, "stale mode lasts longer");
	ok(there("stale/1009") && there("stale/1002") && !there("stale/1001"), "names of the past are removed");
	is_int(cache_grants_end_due(d, 160, false, &err), 0, "time passes");
	ok(cache_grants_have(d, &other, 7) && !cache_grants_have(d, &who, 7),
	    "the grant of an expired token ends, and one that must be made anew stays");
	is_int(cache_grants_end_due(d, 160, true, &err), 0, "a lease begins");
	ok(!cache_grants_have(d, &other, 7) && cache_grants_have(d, &anyone, 7), "the other grant ends, too");
	is_int(cache_dir_end_stale(d, &err), 0, "stale mode ends");
	ok(!there("stale/1009") && !there("stale/1002") && there("now/1001"), "its names are gone");
	if (cache_dir_stale(d, 1000, 1005, &err) == -1)
		exit(EXIT_FAILURE);
	is_int(cache_dir_clear(d, &err), 0, "an empty tree");
	ok(!there("stale/1000") && !there("now/1000"), "has none of these names");
}

static int
take_crate(struct cache_dir *d)
{
	return cache_tree_remove_crate(d, 7, "serde", &err);
}

static int
take_project(struct cache_dir *d)
{
	return cache_tree_remove_namespace(d, 7, &err);
}

static int
stale(struct cache_dir *d)
{
	return cache_dir_stale(d, 2000, 2001, &err);
}

static int
end_stale(struct cache_dir *d)
{
	return cache_dir_stale(d, 1000, 1001, &err) == -1 ? -1 : cache_dir_end_stale(d, &err);
}

static int
lease(struct cache_dir *d)
{
	return cache_dir_lease(d, 2000, 2001, &err);
}

static int
end_epoch(struct cache_dir *d)
{
	return cache_dir_end_epoch(d, &err);
}

static int
make_grant(struct cache_dir *d)
{
	return grant(d, &who, 9, 5);
}

static int
end_due(struct cache_dir *d)
{
	return cache_grants_end_due(d, 1, true, &err);
}

static int
end_token(struct cache_dir *d)
{
	return cache_grants_end(d, &other, &err);
}

/* A failure is reported, or tried again where that may help; the next call succeeds. */
static void
test_errors(struct cache_dir *d)
{
	static const struct {
		const char *fault;
		int (*act)(struct cache_dir *);
		int status;
	} cases[] = {
		{ "disk:readdir eio", lease, 500 },
		{ "cache:unlease erofs", lease, 503 },
		{ "cache:unlease erofs", end_epoch, 503 },
		{ "disk:readdir eio", stale, 500 },
		{ "cache:unlease erofs", end_stale, 503 },
		{ "cache:discard erofs", end_epoch, 0 },
		{ "cache:grant erofs", make_grant, 503 },
		{ "cache:revoke erofs", end_due, 503 },
		{ "cache:discard erofs", end_token, 0 },
		{ "cache:remove eio", take_index, 500 },
		{ "cache:discard erofs", take_project, 0 },
		{ "cache:discard erofs", take_crate, 0 },
		{ "cache:write enospc", write_index, 503 },
		{ "cache:write eio", write_index, 500 },
	};
	struct cache_file crate = file(7, "serde", "1.0.0");
	const char *fault = getenv("BERTH_FAULT"), *taken = arena_printf(a, "%s.taken", fault);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		FILE *f = fopen(fault, "w");

		if (f == NULL || cache_dir_clear(d, &err) == -1 || write_index(d) == -1 ||
		    cache_dir_begin_epoch(d, EPOCH, &err) == -1 || cache_dir_lease(d, 1000, 1001, &err) == -1 ||
		    grant(d, &who, 7, 1) == -1 || grant(d, &other, 7, 2) == -1 ||
		    cache_tree_put_link(d, &crate, "/nonexistent/blob", &err) == -1)
			exit(EXIT_FAILURE);
		fprintf(f, "%s\n", cases[i].fault);
		fclose(f);
		err_clear(&err);
		ok(cases[i].act(d) == (cases[i].status == 0 ? 0 : -1), "%s, case %zu", cases[i].fault, i);
		is_int(err.status, cases[i].status, "its status");
		is_int(unlink(taken), 0, "it came to that");
		is_int(cases[i].act(d), 0, "the next time it is done");
	}
}

static struct cache_hint
hint(const struct cache_who *w, int64_t project, const char *name, const char *version)
{
	struct cache_hint h = { .who = *w, .file = file(project, name, version) };

	memset(h.digest, 7, sizeof(h.digest));
	return h;
}

static void
test_hints(struct cache_dir *d)
{
	const struct cache_who nobody = { "../x" }, nowhere = { CACHE_NET "../x" };
	const struct cache_hint bad[] = { hint(&who, 7, "../x", ""), hint(&who, 0, "serde", ""),
		hint(&nobody, 7, "serde", ""), hint(&nowhere, 7, "serde", ""), hint(&who, 7, "serde", "../1") };
	struct cache_hint h = hint(&who, 7, "serde", "1.0.0"), got;
	int n = 0;

	ok(!cache_dir_next_hint(d, &got), "there is no hint");
	cache_dir_leave_hint(root, &h);
	ok(cache_dir_next_hint(d, &got) && memcmp(&got, &h, sizeof(h)) == 0, "there is one");
	h = hint(&network, 7, "serde", "1.0.0");
	cache_dir_leave_hint(root, &h);
	ok(cache_dir_next_hint(d, &got) && memcmp(&got, &h, sizeof(h)) == 0, "and one of an address");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cache_dir_leave_hint(root, &bad[i]);
		ok(!cache_dir_next_hint(d, &got), "bad hint %zu is not taken", i);
	}
	for (int i = 0; i < 10000; i++)
		cache_dir_leave_hint(root, &h);
	while (cache_dir_next_hint(d, &got))
		n++;
	ok(n > 50 && n < 10000, "nobody waits where there are too many");
	cache_dir_leave_hint("/nonexistent", &h);
	ok(true, "nor where there is no keeper");
}

static void
test_messages(void)
{
	static const struct {
		const char *text;
		bool good;
		enum cache_message_kind kind;
		int64_t id;
		const char *name, *who;
	} cases[] = {
		{ "i 7 Serde_x", true, CACHE_INDEX, 7, "Serde_x", "" },
		{ "c 7 serde", true, CACHE_CRATE, 7, "serde", "" },
		{ "p 42", true, CACHE_PROJECT, 42, "", "" },
		{ "v 12", true, CACHE_VIEW, 12, "", "" },
		{ "w 12", true, CACHE_VIEW_GRANTS, 12, "", "" },
		{ "v", false, 0, 0, "", "" },
		{ "w 12 serde", false, 0, 0, "", "" },
		{ "s 9223372036854775807", true, CACHE_SYNC, INT64_MAX, "", "" },
		{ "h 4712", true, CACHE_PROBE, 4712, "", "" },
		{ "e", true, CACHE_EPOCH, 0, "", "" },
		{ "t 00abcdefghijklmnop", true, CACHE_TOKEN, 0, "", "00abcdefghijklmnop" },
		{ "t anyone", false, 0, 0, "", "" },
		{ "t net-192.168.128.10", false, 0, 0, "", "" },
		{ "t 00abcdefghijklmno", false, 0, 0, "", "" },
		{ "t 00abcdefghijklmno/", false, 0, 0, "", "" },
		{ "t", false, 0, 0, "", "" },
		{ "e 7", false, 0, 0, "", "" },
		{ "a", false, 0, 0, "", "" },
		{ "", false, 0, 0, "", "" },
		{ "i", false, 0, 0, "", "" },
		{ "i 7", false, 0, 0, "", "" },
		{ "i 0 serde", false, 0, 0, "", "" },
		{ "i -1 serde", false, 0, 0, "", "" },
		{ "i x serde", false, 0, 0, "", "" },
		{ "i 7 ../x", false, 0, 0, "", "" },
		{ "p 7 serde", false, 0, 0, "", "" },
		{ "x 7", false, 0, 0, "", "" },
		{ "s 9223372036854775808", false, 0, 0, "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cache_message m;
		bool good = cache_message_parse(cases[i].text, &m);

		ok(good == cases[i].good, "`%s`", cases[i].text);
		if (!good || !cases[i].good)
			continue;
		ok(m.kind == cases[i].kind, "`%s`: its kind", cases[i].text);
		ok(m.id == cases[i].id, "`%s`: its number", cases[i].text);
		ok(strcmp(m.name, cases[i].name) == 0, "`%s`: its name", cases[i].text);
		ok(strcmp(m.who.name, cases[i].who) == 0, "`%s`: its token", cases[i].text);
	}
}

int
main(void)
{
	struct cache_dir *d = NULL;

	a = arena_new();
	if (mkdtemp(root) == NULL || setenv("BERTH_FAULT", arena_printf(a, "%s/fault", root), 1) == -1)
		exit(EXIT_FAILURE);
	test_open(&d);
	test_files(d);
	test_many(d);
	test_absent(d);
	test_names(d);
	test_grants(d);
	test_stale(d);
	test_views(d);
	test_room(d);
	test_network_room(d);
	test_holders();
	test_lease(d);
	test_full(d);
	test_errors(d);
	test_hints(d);
	test_messages();
	cache_dir_close(d);
	remove_tree(root);
	arena_free(a);
	return tap_done();
}
