#include "store/backup/backup_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"

enum { LINE_MAX_SIZE = 96 };

static void
close_list(void *arg)
{
	fclose(arg);
}

int
backup_list_open(struct arena *a, const char *dir, const struct backup_manifest *m, struct backup_list *list,
    struct err *err)
{
	list->path = backup_path(a, dir, m->name, ".blobs");
	list->file = fopen(list->path, "re");
	if (list->file == NULL)
		return errno == ENOENT ? err_set(err, 404, "%s is missing", list->path)
				       : err_sys(err, "open %s", list->path);
	arena_defer(a, close_list, list->file);
	return 0;
}

int
backup_list_next(struct backup_list *list, struct backup_blob *blob, struct err *err)
{
	unsigned char digest[SHA256_SIZE];
	char line[LINE_MAX_SIZE], *end;
	size_t n;

	if (fgets(line, sizeof(line), list->file) == NULL)
		return ferror(list->file) ? err_sys(err, "read %s", list->path) : 0;
	n = strcspn(line, " ");
	errno = 0;
	blob->size = line[n] == ' ' ? strtoll(line + n, &end, 10) : -1;
	if (blob->size < 0 || errno != 0 || strcmp(end, "\n") != 0 ||
	    !hex_decode(slice_of(line, n), digest, sizeof(digest)))
		return err_set(err, 409, "%s is damaged: a line is not a SHA-256 and a size", list->path);
	hex_encode(digest, sizeof(digest), blob->sha256);
	return 1;
}
