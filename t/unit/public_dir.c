/* store/public_dir, public_tree: files for nginx, their lease, what is wanted; what keepers are told. */
#include "store/public_dir.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remove_tree.h"
#include "store/public.h"
#include "store/public_tree.h"
#include "tap.h"

static struct arena *a;
static struct err err;
static char root[] = "/tmp/berth-public-XXXXXX";

static bool
there(const char *path)
{
	struct stat st;

	return lstat(arena_printf(a, "%s/%s", root, path), &st) == 0;
}

static struct public_want
want(int64_t project, const char *name, const char *version)
{
	struct public_want w = { .project_id = project };

	snprintf(w.name, sizeof(w.name), "%s", name);
	snprintf(w.version, sizeof(w.version), "%s", version);
	return w;
}

static void
test_open(struct public_dir **d)
{
	struct public_dir *second = NULL;
	char *node;

	is_int(public_dir_open("/nonexistent/x", d, &err), -1, "no directory");
	is_int(err.status, 500, "500");
	is_int(public_dir_open(root, d, &err), 0, "opened");
	node = arena_strdup(a, public_dir_node(*d));
	is_int((long)strlen(node), 32, "it has a name");
	is_int(public_dir_open(root, &second, &err), 0, "a second time: no error");
	ok(second == NULL, "but the lock is taken");
	public_dir_close(*d);
	is_int(public_dir_open(root, d, &err), 0, "once it is given back it is opened");
	is_str(public_dir_node(*d), node, "the name is the same");
}

static void
test_files(struct public_dir *d)
{
	struct public_want index = want(7, "Serde_x", ""), config = want(7, "", "");
	struct public_want crate = want(7, "Serde_x", "1.0.0+b.1");
	struct stat st = { 0 };
	bool was = false, more = true;

	is_int(public_dir_clear(d, &err), 0, "an empty tree");
	ok(!public_tree_has(d, &index), "nothing there");
	is_int(public_tree_put(d, &index, slice_str("bytes"), 1234567890, &err), 0, "an index file");
	ok(public_tree_has(d, &index) && there("tree/index/7/se/rd/serde_x.gz"), "has its place");
	ok(lstat(arena_printf(a, "%s/tree/index/7/se/rd/serde_x.gz", root), &st) == 0 &&
		st.st_mtime == 1234567890 && st.st_size == 5,
	    "with time and bytes");
	is_int(public_tree_put(d, &config, slice_str("{}"), 1, &err), 0, "config.json");
	ok(there("tree/index/7/config.json"), "has its place");
	is_int(public_tree_put_link(d, &crate, "/nonexistent/blob", &err), 0, "a crate");
	ok(public_tree_has(d, &crate) && there("tree/crates/7/Serde_x/1.0.0+b.1"), "has its place");
	is_int(public_tree_put_link(d, &crate, "/nonexistent/other", &err), 0, "again");

	is_int(public_tree_remove_index(d, 7, "SERDE_X", &was, &err), 0, "an index file goes");
	ok(was && !public_tree_has(d, &index), "and is gone");
	is_int(public_tree_remove_index(d, 7, "SERDE_X", &was, &err), 0, "again");
	ok(!was, "it was not there");
	is_int(public_tree_remove_crate(d, 7, "Serde_x", &err), 0, "a crate goes");
	ok(!there("tree/crates/7/Serde_x"), "with all versions");
	is_int(public_tree_remove_crate(d, 7, "Serde_x", &err), 0, "again");
	is_int(public_tree_remove_project(d, 7, &err), 0, "a project goes");
	ok(!there("tree/index/7") && !there("tree/crates/7"), "with everything");
	is_int(public_tree_remove_project(d, 7, &err), 0, "again");
	while (more)
		public_tree_sweep(d, &more);
	is_int(rmdir(arena_printf(a, "%s/trash", root)), 0, "the trash is empty");
	is_int(public_tree_put(d, &index, slice_str("x"), 1, &err), -1, "without it nothing is written");
	is_int(public_dir_clear(d, &err), 0, "but cleared,");
	is_int(public_tree_put(d, &index, slice_str("x"), 1, &err), 0, "and then written");
}

static void
test_many(struct public_dir *d)
{
	bool more = true;
	int rounds = 0;

	for (int i = 0; i < 500; i++) {
		struct public_want w = want(9, arena_printf(a, "crate%d", i), "");

		if (public_tree_put(d, &w, slice_str("x"), 1, &err) == -1)
			exit(EXIT_FAILURE);
	}
	is_int(public_tree_remove_project(d, 9, &err), 0, "a large project goes");
	while (more) {
		public_tree_sweep(d, &more);
		rounds++;
	}
	ok(rounds > 2, "its files bit by bit");
	ok(!there("tree/index/9"), "but at once out of the way");
}

static void
test_names(struct public_dir *d)
{
	static const char *const bad[] = { "../x", "a/b", ".", "", "1a", "a\n" };
	bool was;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct public_want crate = want(7, bad[i], "1.0.0"), index = want(7, bad[i], "");

		ok(public_tree_remove_index(d, 7, bad[i], &was, &err) == -1, "bad name %zu: index", i);
		ok(public_tree_remove_crate(d, 7, bad[i], &err) == -1, "bad name %zu: crate", i);
		ok(bad[i][0] == '\0' || public_tree_put_link(d, &crate, "x", &err) == -1,
		    "bad name %zu: version", i);
		ok(bad[i][0] == '\0' || public_tree_put(d, &index, slice_str("x"), 1, &err) == -1,
		    "bad name %zu: file", i);
	}
	is_int(public_tree_put_link(d, &(struct public_want) { 7, "a", "../../x", "" }, "x", &err), -1,
	    "nor such a version");
	is_int(public_tree_put_link(d, &(struct public_want) { 7, "a", "1.0.0", "../x" }, "x", &err), -1,
	    "nor such a generation");
}

static void
test_signed(struct public_dir *d)
{
	struct public_want w = { 7, "Serde_x", "1.0.0", "0b-a9" };
	struct public_want other_generation = { 7, "Serde_x", "1.1.0", "0b-b0" };
	struct public_want others[] = { { 7, "Serde", "1.0.0", "0b-a9" }, { 7, "serde_x", "1.0.0", "0b-a9" },
		{ 8, "Serde_x", "1.0.0", "0b-a9" } };
	enum { NOTHERS = sizeof(others) / sizeof(*others) };

	is_int(public_tree_put_link(d, &w, "/nonexistent/blob", &err), 0, "a crate for signed addresses");
	ok(public_tree_has(d, &w) && there("tree/signed/0b-a9/7/Serde_x/1.0.0"), "lies below its generation");
	ok(!there("tree/crates/7/Serde_x/1.0.0"), "and not where anyone may read it");
	is_int(public_tree_put_link(d, &other_generation, "/nonexistent/blob", &err), 0, "in another one, too");
	for (size_t i = 0; i < NOTHERS; i++)
		is_int(public_tree_put_link(d, &others[i], "/nonexistent/blob", &err), 0, "another crate");
	is_int(public_tree_remove_crate(d, 7, "Serde_x", &err), 0, "the crate goes");
	ok(!public_tree_has(d, &w) && !public_tree_has(d, &other_generation), "in both generations");
	for (size_t i = 0; i < NOTHERS; i++)
		ok(public_tree_has(d, &others[i]), "another crate, %zu, is there", i);
	is_int(public_tree_remove_generations(d, &err), 0, "all of them end");
	ok(!there("tree/signed") && !there("tree/kept"), "and nothing is left");
	is_int(public_tree_remove_crate(d, 7, "Serde_x", &err), 0, "again");
	is_int(public_tree_put_link(d, &w, "/nonexistent/blob", &err), 0, "it comes back");
	is_int(public_tree_remove_generations(d, &err), 0, "a generation ends");
	ok(!public_tree_has(d, &w), "and it is gone, too");
	public_dir_leave_want(root, &w);
	ok(public_dir_next_want(d, &w) && strcmp(w.generation, "0b-a9") == 0, "it can be wanted");
	snprintf(w.generation, sizeof(w.generation), "a/b");
	public_dir_leave_want(root, &w);
	ok(!public_dir_next_want(d, &w), "but not of what is no generation");
}

static void
test_lease(struct public_dir *d)
{
	struct public_want index = want(7, "leased", "");

	is_int(public_tree_put(d, &index, slice_str("x"), 1, &err), 0, "a file");
	is_int(public_dir_lease(d, 1000, 1003, &err), 0, "a lease");
	ok(there("now/1000/index/7/le/as/leased.gz") && there("now/1003/index/7/le/as/leased.gz"),
	    "is seen in all of its seconds");
	ok(!there("now/999") && !there("now/1004"), "and in no other");
	is_int(public_dir_lease(d, 1002, 1005, &err), 0, "a longer one");
	ok(there("now/1005") && there("now/1000"), "with what a slow reader may still look for");
	is_int(public_dir_lease(d, 1010, 1012, &err), 0, "much later");
	ok(!there("now/1005") && there("now/1010"), "the past is gone");
	is_int(public_dir_lease(d, 5000, 5002, &err), 0, "by a clock that is wrong");
	is_int(public_dir_lease(d, 1011, 1013, &err), 0, "and right again");
	ok(!there("now/5000") && there("now/1013"), "the future is gone");
	is_int(public_dir_clear(d, &err), 0, "cleared");
	ok(!there("now/1011") && !public_tree_has(d, &index), "lease and file are gone");
}

static void
test_full(struct public_dir *d)
{
	static const char bytes[5000];
	const struct rlimit small = { 1000, RLIM_INFINITY };
	struct public_want index = want(7, "large", "");
	struct rlimit before;

	signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_FSIZE, &before) == -1 || setrlimit(RLIMIT_FSIZE, &small) == -1)
		exit(EXIT_FAILURE);
	is_int(public_tree_put(d, &index, slice_of(bytes, sizeof(bytes)), 1, &err), -1, "no room");
	setrlimit(RLIMIT_FSIZE, &before);
	ok(!public_tree_has(d, &index), "the file is not there");
	ok(!there("trash/new"), "nor what was written of it");
}

static int
write_index(struct public_dir *d)
{
	struct public_want w = want(7, "serde", "");

	return public_tree_put(d, &w, slice_str("x"), 1, &err);
}

static int
take_index(struct public_dir *d)
{
	bool was;

	return public_tree_remove_index(d, 7, "serde", &was, &err);
}

static int
take_kept(struct public_dir *d)
{
	char generation[ACCESS_GENERATION_SIZE];

	return public_tree_remove_kept(d, 7, "serde", generation, &err);
}

static int
take_crate(struct public_dir *d)
{
	return public_tree_remove_crate(d, 7, "serde", &err);
}

static int
take_project(struct public_dir *d)
{
	return public_tree_remove_project(d, 7, &err);
}

static int
lease(struct public_dir *d)
{
	return public_dir_lease(d, 2000, 2001, &err);
}

/* What cannot be done says so, or tries again where that may help; the next time it is done. */
static void
test_errors(struct public_dir *d)
{
	static const struct {
		const char *fault;
		int (*act)(struct public_dir *);
		int status;
	} cases[] = {
		{ "public:readdir eio", lease, 500 },
		{ "public:unlease erofs", lease, 503 },
		{ "public:readdir eio", take_kept, 500 },
		{ "public:remove erofs", take_kept, 503 },
		{ "public:remove eio", take_index, 500 },
		{ "public:discard erofs", take_project, 0 },
		{ "public:readdir eio", take_crate, 500 },
		{ "public:write enospc", write_index, 503 },
		{ "public:write eio", write_index, 500 },
	};
	struct public_want kept = { 7, "serde", "", "0b-a9" }, signed_one = { 7, "serde", "1.0.0", "0b-a9" };
	const char *fault = getenv("BERTH_FAULT"), *taken = arena_printf(a, "%s.taken", fault);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		FILE *f = fopen(fault, "w");

		if (f == NULL || write_index(d) == -1 || public_dir_lease(d, 1000, 1001, &err) == -1 ||
		    public_tree_put(d, &kept, slice_str("x"), 1, &err) == -1 ||
		    public_tree_put_link(d, &signed_one, "/nonexistent/blob", &err) == -1)
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

static void
test_wants(struct public_dir *d)
{
	struct public_want w = want(7, "serde", "1.0.0"), got;
	int n = 0;

	ok(!public_dir_next_want(d, &got), "nothing is wanted");
	public_dir_leave_want(root, &w);
	ok(public_dir_next_want(d, &got), "something is");
	is_int(got.project_id, 7, "of that project");
	is_str(got.name, "serde", "that crate");
	is_str(got.version, "1.0.0", "that version");
	w = want(7, "../x", "");
	public_dir_leave_want(root, &w);
	ok(!public_dir_next_want(d, &got), "a name that is none is not");
	w = want(-1, "serde", "");
	public_dir_leave_want(root, &w);
	ok(!public_dir_next_want(d, &got), "nor what is of no project");
	w = want(7, "serde", "");
	for (int i = 0; i < 10000; i++)
		public_dir_leave_want(root, &w);
	while (public_dir_next_want(d, &got))
		n++;
	ok(n > 100 && n < 10000, "nobody waits where too much is wanted");
	public_dir_leave_want("/nonexistent", &w);
	ok(true, "nor where there is no keeper");
}

static void
test_tales(void)
{
	static const struct {
		const char *text;
		bool good;
		enum public_tale_kind kind;
		int64_t id;
		const char *name;
	} cases[] = {
		{ "i 7 Serde_x", true, PUBLIC_INDEX, 7, "Serde_x" },
		{ "c 7 serde", true, PUBLIC_CRATE, 7, "serde" },
		{ "p 42", true, PUBLIC_PROJECT, 42, "" },
		{ "s 9223372036854775807", true, PUBLIC_SYNC, INT64_MAX, "" },
		{ "h 4712", true, PUBLIC_CALL, 4712, "" },
		{ "a", true, PUBLIC_ALL, 0, "" },
		{ "g", true, PUBLIC_GENERATION, 0, "" },
		{ "g 7", false, 0, 0, "" },
		{ "a 7", false, 0, 0, "" },
		{ "", false, 0, 0, "" },
		{ "i", false, 0, 0, "" },
		{ "i 7", false, 0, 0, "" },
		{ "i 0 serde", false, 0, 0, "" },
		{ "i -1 serde", false, 0, 0, "" },
		{ "i x serde", false, 0, 0, "" },
		{ "i 7 ../x", false, 0, 0, "" },
		{ "p 7 serde", false, 0, 0, "" },
		{ "x 7", false, 0, 0, "" },
		{ "s 9223372036854775808", false, 0, 0, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct public_tale t;
		bool good = public_tale_parse(cases[i].text, &t);

		ok(good == cases[i].good, "`%s`", cases[i].text);
		if (!good || !cases[i].good)
			continue;
		ok(t.kind == cases[i].kind, "`%s`: its kind", cases[i].text);
		ok(t.id == cases[i].id, "`%s`: its number", cases[i].text);
		ok(strcmp(t.name, cases[i].name) == 0, "`%s`: its name", cases[i].text);
	}
}

int
main(void)
{
	struct public_dir *d = NULL;

	a = arena_new();
	if (mkdtemp(root) == NULL || setenv("BERTH_FAULT", arena_printf(a, "%s/fault", root), 1) == -1)
		exit(EXIT_FAILURE);
	test_open(&d);
	test_files(d);
	test_many(d);
	test_names(d);
	test_signed(d);
	test_lease(d);
	test_full(d);
	test_errors(d);
	test_wants(d);
	test_tales();
	public_dir_close(d);
	remove_tree(root);
	arena_free(a);
	return tap_done();
}
