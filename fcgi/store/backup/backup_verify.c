#include "store/backup/backup_verify.h"

#include "store/backup/backup_list.h"
#include "store/blob/blob.h"

int
backup_verify_files(struct arena *a, const char *dir, const struct backup_manifest *m, struct err *err)
{
	return backup_check_file(
		   backup_path(a, dir, m->name, ".dump"), m->dump_sha256, m->dump_bytes, err) == -1 ||
		       backup_check_file(backup_path(a, dir, m->name, ".blobs"), m->blobs_sha256, -1, err) ==
			   -1
		   ? -1
		   : 0;
}

/* *missing: how many there are so far. */
static void
check_blob(struct arena *a, struct backup_check *check, const struct backup_blob *blob, int64_t *missing)
{
	const char *path = arena_printf(a, "%s/" BACKUP_BLOBS "/%s", check->dir, blob_path(a, blob->sha256));
	struct err err = { 0 };

	if (backup_check_file(path, blob->sha256, blob->size, &err) == 0) {
		check->blobs++;
		check->bytes += blob->size;
		return;
	}
	*missing += err.status == 404;
	check->bad += err.status != 404;
	check->say(check->arg, blob->sha256, err.status == 404 ? "missing" : "damaged");
}

int
backup_verify(struct arena *a, struct backup_check *check, struct err *err)
{
	struct backup_manifest *m = &check->manifest;
	struct arena *piece = arena_new();
	struct backup_list list;
	struct backup_blob blob;
	int64_t missing = 0;
	int more = -1;

	if (backup_manifest_read(a, check->dir, check->name, m, err) == 0 &&
	    backup_verify_files(a, check->dir, m, err) == 0 &&
	    backup_list_open(a, check->dir, m, &list, err) == 0) {
		while ((more = backup_list_next(&list, &blob, err)) == 1) {
			check_blob(piece, check, &blob, &missing);
			arena_reset(piece);
		}
	}
	arena_free(piece);
	/* a later backup may have brought some of those that this one lacked */
	check->bad += missing > m->blobs_missing ? missing - m->blobs_missing : 0;
	return more;
}
