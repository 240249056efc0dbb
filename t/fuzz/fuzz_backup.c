/* The files of a backup: the manifest, and after a line `---` the list of blobs. */

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/s3_request.h"
#include "remove_tree.h"
#include "store/backup/backup_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define NAME "20260131T123456.789Z"

static char folder[] = "/tmp/berth-fuzz-XXXXXX";

static void
remove_folder(void)
{
	remove_tree(folder);
}

static void
write_file(const char *file, struct slice text)
{
	FILE *f = fopen(file, "we");

	assert(f != NULL && fwrite(text.p, 1, text.n, f) == text.n && fclose(f) == 0);
}

static void
check_list(struct arena *a, const struct backup_target *target, const struct backup_manifest *m)
{
	struct backup_list list;
	struct backup_blob blob;
	struct err err = { 0 };
	int rc;

	if (backup_list_open(a, target, m, &list, &err) == -1) {
		assert(err.status == 409);
		return;
	}
	while ((rc = backup_list_next(&list, &blob, &err)) == 1)
		assert(blob.size >= 0 && strspn(blob.sha256, "0123456789abcdef") == 64);
	assert(rc == 0 || err.status == 409);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char mark[] = "---\n";
	static const struct s3_conf no_bucket;
	const char *text = (const char *)p, *list = memmem(text, n, mark, strlen(mark));
	struct slice manifest = slice_of(text, list == NULL ? n : (size_t)(list - text));
	struct arena *a = arena_new();
	struct backup_target target;
	struct backup_manifest m;
	struct err err = { 0 };

	if (folder[strlen(folder) - 1] == 'X')
		assert(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
	assert(backup_target_find(a, folder, &no_bucket, &target, &err) == 0);
	write_file(arena_printf(a, "%s/" NAME ".json", folder), manifest);
	write_file(arena_printf(a, "%s/" NAME ".blobs", folder), list == NULL ? slice_str("")
	    : slice_of(list + strlen(mark), n - manifest.n - strlen(mark)));
	if (backup_manifest_read(a, &target, NULL, &m, &err) == 0)
		check_list(a, &target, &m);
	else
		assert(err.status == 409);
	arena_free(a);
	return 0;
}
