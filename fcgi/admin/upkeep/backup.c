#include "store/backup/backup_take.h"

#include <inttypes.h>

#include "admin/command.h"
#include "admin/number.h"
#include "admin/output.h"
#include "config/settings.h"
#include "store/backup/backup_verify.h"

enum { KEEP };

static const struct option_def take_options[] = {
	[KEEP] = { "keep", 0, "N", false },
};

enum { AT };

static const struct option_def verify_options[] = {
	[AT] = { "at", 0, "NAME", false },
};

static int
find_target(struct invocation *in, struct backup_target *target)
{
	return backup_target_find(in->arena, in->args[0], settings_backup(in->arena, in->settings), target,
	    &in->err);
}

static int
take(struct invocation *in)
{
	static const char *const keys[] = { "backup", "registry", "versions", "blobs", "blob_bytes",
		"dump_bytes", "copied", "copied_bytes", "removed", "missing" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	struct backup_target target;
	struct backup_task task = { .db = in->db, .conninfo = in->conninfo, .target = &target };
	const struct backup_manifest *m = &task.manifest;
	const char *keep = in->options.values[KEEP];

	if (find_target(in, &target) == -1 ||
	    (keep != NULL && number_parse(keep, "number of backups", &task.keep, &in->err) == -1))
		return -1;
	task.store = in->settings->blobs;
	if (backup_take(in->arena, &task, &in->err) == -1)
		return -1;
	output_row(&out,
	    (struct cell[]){ cell_str(m->name), cell_str(m->registry), cell_int(m->versions),
		cell_int(m->blobs), cell_int(m->blob_bytes), cell_int(m->dump_bytes), cell_int(task.copied),
		cell_int(task.copied_bytes), cell_int(task.removed), cell_int(m->blobs_missing) });
	return m->blobs_missing == 0 ? 0
				     : err_set(&in->err, 409,
					   "the backup is there, but neither the store nor an "
					   "earlier backup can give %" PRId64
					   " of the blobs: `berth fsck --deep` names their versions",
					   m->blobs_missing);
}

static void
say_blob(void *arg, const char *wrong)
{
	(void)arg;
	output_note("%s", wrong);
}

static int
verify(struct invocation *in)
{
	static const char *const keys[] = { "backup", "registry", "versions", "blobs", "blob_bytes", "good",
		"good_bytes", "bad" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	struct backup_target target;
	struct backup_check check = { .target = &target, .name = in->options.values[AT], .say = say_blob };
	const struct backup_manifest *m = &check.manifest;

	if (find_target(in, &target) == -1 || backup_verify(in->arena, &check, &in->err) == -1)
		return -1;
	output_row(&out, (struct cell[]){ cell_str(m->name), cell_str(m->registry), cell_int(m->versions),
			     cell_int(m->blobs), cell_int(m->blob_bytes), cell_int(check.blobs),
			     cell_int(check.bytes), cell_int(check.bad) });
	return check.bad == 0 ? 0
			      : err_set(&in->err, 409,
				    "the backup is not complete (blobs that are missing: %" PRId64
				    ", damaged or unreadable: %" PRId64 "): %sthe next `berth backup` copies the "
				    "missing ones from the store",
				    check.bad - check.damaged, check.damaged,
				    check.damaged > 0 ? "remove the damaged files, and " : "");
}

static const struct command commands[] = {
	{ NULL, "[--keep N] TARGET",
	    "Takes a backup of database and store while the registry serves: a dump, those blobs that\n"
	    "earlier backups there lack, and a manifest.  TARGET is a directory, or a bucket,\n"
	    "s3://BUCKET[/PREFIX]; the keys backup_... of berth.conf(5) say how to reach the bucket.\n"
	    "It connects as a role that may read everything, such as the owner of the tables.  --keep:\n"
	    "the newest N backups stay, and older ones lose their dump; blobs always stay.",
	    COMMAND_OPTIONS(take_options), 1, 1, take },
	{ "verify", "[--at NAME] TARGET",
	    "Reads every byte of the newest backup in TARGET, or of the backup NAME, and compares it\n"
	    "with the manifest.",
	    COMMAND_OPTIONS(verify_options), 1, 1, verify },
};

const struct noun admin_backup = { "backup", COMMAND_LIST(commands), .configured = true };
