#include "store/backup/backup_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/sha256.h"

enum { LINE_MAX_SIZE = 96 };

int64_t
backup_list_max(const struct backup_manifest *m)
{
	int64_t max;

	return m->blobs < 0 || __builtin_mul_overflow(m->blobs, (int64_t)LINE_MAX_SIZE, &max) ? 0 : max;
}

static void
close_list(void *arg)
{
	fclose(arg);
}

int
backup_list_open(struct arena *a, const struct backup_target *target, const struct backup_manifest *m,
    struct backup_list *list, struct err *err)
{
	const char *file = arena_printf(a, "%s.blobs", m->name);
	int fd;

	list->path = backup_target_path(a, target, file);
	if (backup_target_open(target, a, file, backup_list_max(m), &fd, err) == -1)
		return -1;
	list->file = fdopen(fd, "r");
	if (list->file == NULL) {
		close(fd);
		return err_sys(err, "open %s", list->path);
	}
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
