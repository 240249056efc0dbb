/* transfer/import_files: a directory whose files go away meanwhile, as those of a mirror that runs. */
#include "transfer/import_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remove_tree.h"
#include "tap.h"

enum { FILES = 3 };

static int taken;

/* The first file takes the others, and a folder, away. */
static int
take(void *arg, const char *path, const char *name, struct err *err)
{
	const char *dir = arg;
	char other[256];

	(void)err;
	is_str(strrchr(path, '/') + 1, name, "a file");
	taken++;
	for (int i = 0; i < FILES; i++) {
		snprintf(other, sizeof(other), "%s/%d", dir, i);
		if (strcmp(other, path) != 0)
			unlink(other);
	}
	snprintf(other, sizeof(other), "%s/folder", dir);
	rmdir(other);
	return 0;
}

int
main(void)
{
	char dir[] = "/tmp/berth-import-files.XXXXXX", path[256];
	struct arena *a = arena_new();
	struct err err = { 0 };

	if (mkdtemp(dir) == NULL)
		return 1;
	for (int i = 0; i < FILES; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/%d", dir, i);
		f = fopen(path, "we");
		if (f == NULL || fclose(f) == EOF)
			return 1;
	}
	is_int(import_files_walk(a, dir, take, dir, &err), 0, "files that are gone are no error");
	is_int(taken, 1, "one was there");
	remove_tree(dir);
	is_int(import_files_walk(a, dir, take, dir, &err), -1, "the directory itself must be there");
	is_int(err.status, 400, "  or the command is wrong");
	arena_free(a);
	return tap_done();
}
