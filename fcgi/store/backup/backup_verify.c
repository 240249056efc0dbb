#include "store/backup/backup_verify.h"

#include "store/backup/backup_list.h"
#include "store/blob/blob.h"

int
backup_verify_files(struct arena *a, const struct backup_target *target, const struct backup_manifest *m,
    struct err *err)
{
	const char *dump = arena_printf(a, "%s.dump", m->name), *list = arena_printf(a, "%s.blobs", m->name);

	return backup_check(target->files, a, dump, m->dump_sha256, m->dump_bytes, true, err) == -1 ||
		       backup_check(target->files, a, list, m->blobs_sha256, backup_list_max(m), false, err) == -1
		   ? -1
		   : 0;
}

/* *missing: how many there are so far. */
static int
check_blob(struct arena *a, struct backup_check *check, const struct backup_blob *blob, int64_t *missing,
    struct err *err)
{
	struct err wrong = { 0 };

	if (backup_check(check->target->blobs, a, blob_path(a, blob->sha256), blob->sha256, blob->size, true,
		&wrong) == 0) {
		check->blobs++;
		check->bytes += blob->size;
		return 0;
	}
	if (wrong.status == 503) {
		*err = wrong;
		return -1;
	}
	*missing += wrong.status == 404;
	check->damaged += wrong.status != 404;
	check->say(check->arg, wrong.detail[0] != '\0' ? wrong.detail : wrong.pub);
	return 0;
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

	if (backup_manifest_read(a, check->target, check->name, m, err) == 0 &&
	    backup_verify_files(a, check->target, m, err) == 0 &&
	    backup_list_open(a, check->target, m, &list, err) == 0) {
		while ((more = backup_list_next(&list, &blob, err)) == 1) {
			if (check_blob(piece, check, &blob, &missing, err) == -1) {
				more = -1;
				break;
			}
			arena_reset(piece);
		}
	}
	arena_free(piece);
	/* a later backup may have brought some of those that this one lacked */
	check->bad = check->damaged + (missing > m->blobs_missing ? missing - m->blobs_missing : 0);
	return more;
}
