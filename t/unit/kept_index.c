/* store/kept_index: index files that are kept for the pool. */
#include "store/kept_index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "remove_tree.h"
#include "store/public_tree.h"
#include "tap.h"

static struct arena *a;
static struct err err;
static char root[] = "/tmp/berth-kept-XXXXXX";

static void
test_parse(void)
{
	static const char *const bad[] = {
		"", " ", "etag", "etag ", "etag 1", "etag 1 ", "etag 1 2", "etag 1 2 \n", "etag 1 0\n", " 1 2\n", "etag -1 2\n",
		"etag x 2\n", "etag 1 2x\n", "etag  1 2\n", "etag 1 1234567890123456789\n", "etag 1 999999999999\n",
	};
	struct kept_head head;
	char longest[CRATE_ETAG_SIZE + 16];

	ok(kept_index_parse(slice_str("0123abcd 1790000000 12345\nbody"), &head), "a head");
	is_str(head.etag, "0123abcd", "its ETag");
	is_int(head.time, 1790000000, "time");
	is_int(head.length, 12345, "length");
	is_int(head.size, 26, "and how long it is");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(!kept_index_parse(slice_str(bad[i]), &head), "bad %zu", i);
	memset(longest, 'e', CRATE_ETAG_SIZE - 1);
	snprintf(longest + CRATE_ETAG_SIZE - 1, 16, " 1 2\n");
	ok(kept_index_parse(slice_str(longest), &head) && strlen(head.etag) == CRATE_ETAG_SIZE - 1, "the longest ETag");
	memset(longest, 'e', CRATE_ETAG_SIZE);
	snprintf(longest + CRATE_ETAG_SIZE, 15, " 1 2\n");
	ok(!kept_index_parse(slice_str(longest), &head), "one that is longer");
}

/* Written and read, of this length. */
static void
test_length(struct public_dir *d, size_t n)
{
	struct public_want w = { 7, "Serde_x", "", "0b-a9" }, lower = { 7, "serde_x", "", "0b-a9" };
	struct crate_index index = { .etag = "0123abcd", .time = 255 }, got = { 0 };
	static const char *const mine[] = { "x", "0123abcd" }, *const other[] = { "x" };
	const char *of_nginx = arena_printf(a, "ff-%zx", n);
	char *body = arena_alloc(a, n);
	struct stat st = { 0 };

	memset(body, 'b', n);
	body[n - 1] = 'e';
	index.body = slice_of(body, n);
	is_int(kept_index_put(d, a, &w, &index, &err), 0, "it is written");
	ok(stat(arena_printf(a, "%s/tree/kept/0b-a9/7/se/rd/serde_x", root), &st) == 0 && (st.st_mode & 0777) == 0600,
	    "where nobody else can read it");
	ok(kept_index_read(a, root, &lower, NULL, 0, &got), "and read");
	ok(got.found && !got.unchanged && got.time == 255 && got.length == (int64_t)n, "all that is known of it");
	is_str(got.etag, "0123abcd", "and its ETag");
	ok(slice_equal(got.body, index.body), "with all %zu bytes", n);
	ok(kept_index_read(a, root, &lower, other, 1, &got) && !got.unchanged, "who has another one gets it");
	ok(kept_index_read(a, root, &lower, mine, 2, &got) && got.unchanged && got.body.n == 0, "who has it does not");
	ok(kept_index_read(a, root, &lower, &of_nginx, 1, &got) && got.unchanged, "by nginx's ETag, neither");
	if (truncate(arena_printf(a, "%s/tree/kept/0b-a9/7/se/rd/serde_x", root), st.st_size - 1) == -1)
		exit(EXIT_FAILURE);
	ok(!kept_index_read(a, root, &lower, NULL, 0, &got), "what is not whole is not there");
}

static void
test_gone(struct public_dir *d)
{
	struct public_want w = { 7, "serde_x", "", "0b-a9" };
	const struct crate_index index = { .etag = "0123abcd", .time = 255, .body = slice_str("body") };
	char generation[ACCESS_GENERATION_SIZE];
	struct crate_index got;

	is_int(kept_index_put(d, a, &w, &index, &err), 0, "one");
	snprintf(w.generation, sizeof(w.generation), "0b-b0");
	ok(!kept_index_read(a, root, &w, NULL, 0, &got), "of another generation it is not there");
	is_int(kept_index_put(d, a, &w, &index, &err), 0, "one of this as well");
	is_int(public_tree_remove_kept(d, 7, "serde", generation, &err), 0, "another crate goes");
	is_str(generation, "", "it was not there");
	ok(kept_index_read(a, root, &w, NULL, 0, &got), "and this is");
	is_int(public_tree_remove_kept(d, 7, "SERDE_X", generation, &err), 0, "it goes");
	ok(strncmp(generation, "0b-", 3) == 0, "it was there");
	ok(!kept_index_read(a, root, &w, NULL, 0, &got), "in this generation");
	snprintf(w.generation, sizeof(w.generation), "0b-a9");
	ok(!kept_index_read(a, root, &w, NULL, 0, &got), "and in the other");
	is_int(public_tree_remove_kept(d, 7, "a/b", generation, &err), -1, "no name");
	is_int(kept_index_put(d, a, &w, &index, &err), 0, "again");
	is_int(public_tree_remove_generations(d, &err), 0, "a generation ends");
	ok(!kept_index_read(a, root, &w, NULL, 0, &got), "and it is gone");
	is_int(public_tree_remove_kept(d, 7, "serde_x", generation, &err), 0, "where there are none");
	is_int(kept_index_put(d, a, &w, &index, &err), 0, "again");
	is_int(public_dir_clear(d, &err), 0, "a lease ends");
	ok(!kept_index_read(a, root, &w, NULL, 0, &got), "and it is gone");
}

int
main(void)
{
	struct public_dir *d = NULL;
	time_t now = time(NULL);

	a = arena_new();
	if (mkdtemp(root) == NULL || public_dir_open(root, &d, &err) == -1 || public_dir_clear(d, &err) == -1 ||
	    public_dir_lease(d, now, now + 60, &err) == -1)
		exit(EXIT_FAILURE);
	test_parse();
	test_length(d, 1);
	test_length(d, 1000);
	test_length(d, 16 * 1024 - 24);
	test_length(d, 1000000);
	test_gone(d);
	public_dir_close(d);
	remove_tree(root);
	arena_free(a);
	return tap_done();
}
