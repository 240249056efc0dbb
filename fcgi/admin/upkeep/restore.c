#include "store/backup/backup_restore.h"

#include <inttypes.h>

#include "admin/command.h"
#include "admin/output.h"
#include "admin/upkeep/lost_tokens.h"
#include "config/settings.h"
#include "store/blob/store_identity.h"
#include "store/blob/store_mark.h"
#include "store/migrate/migrate.h"
#include "store/migrate/migrate_create.h"

enum { AT, AUDIT, CREATE, GRANT_TO, REVOKE, REVOKE_ALL };

static const struct option_def options[] = {
	[AT] = { "at", 0, "NAME", false },
	[AUDIT] = { "audit", 0, "FILE", false },
	[CREATE] = { "create", 0, NULL, false },
	[GRANT_TO] = { "grant-to", 0, "ROLE", false },
	[REVOKE] = { "revoke", 0, NULL, false },
	[REVOKE_ALL] = { "revoke-all", 0, NULL, false },
};

static void
applied(void *arg, const struct migration *m)
{
	(void)arg;
	(void)m;
}

/* The schema of this program, and the rights of the pool's role. */
static int
migrate(struct invocation *in)
{
	const struct migrate_task task = { .conninfo = in->conninfo,
		.actor = &in->actor,
		.grant_to = in->options.values[GRANT_TO],
		.applied = applied };
	int64_t newer;

	return migrate_run(&task, &newer, &in->err);
}

static int
join(struct invocation *in, const struct backup_restore *r)
{
	struct store_identity identity = { 0 };

	if (store_identity_registry(in->db, in->arena, &identity, &in->err) == -1 ||
	    store_adopt(in->db, in->arena, &in->actor, r->store, identity.registry, NULL, &in->err) == -1)
		return -1;
	return backup_restore_end(in->arena, r, &in->err);
}

static int
restore(struct invocation *in, struct backup_restore *r, struct lost_tokens *lost)
{
	const char *const *given = in->options.values;

	/* before anything is done: a mistake in the export is easy to correct now */
	if (lost_tokens_options(in->arena, given[AUDIT], given[REVOKE] != NULL, given[REVOKE_ALL] != NULL,
	        lost, &in->err) == -1 ||
	    backup_manifest_read(in->arena, r->target, given[AT], &r->manifest, &in->err) == -1 ||
	    lost_tokens_check_export(in->arena, lost, r->manifest.created_at, &in->err) == -1)
		return -1;
	if (given[CREATE] != NULL && migrate_create(in->conninfo, given[GRANT_TO], &in->err) == -1)
		return -1;
	if (backup_restore_check(in->arena, r, &in->err) == -1 ||
	    backup_restore_run(in->arena, r, &in->err) == -1)
		return -1;
	if (migrate(in) == 0 && lost_tokens_end(in->db, in->arena, &in->actor, lost, &in->err) == 0 &&
	    join(in, r) == 0)
		return 0;
	return err_context(&in->err,
	    "store and database have all that the backup has; to complete the restore, remedy "
	    "this, drop the database, and run the command again");
}

/* In the order of berth-operations(7). */
static void
say_next(const struct invocation *in, const struct backup_restore *r, const struct lost_tokens *lost)
{
	if (in->settings->token_key[0] != '\0')
		output_note("next: copy the file of token_key, %s, which a backup does not have, back to its place; or "
		    "retire its slots with `berth key retire`, and add a new one", in->settings->token_key);
	if (lost->n > 0 && !lost->revoke)
		output_note("next: revoke %s with `berth token revoke ID`: %zu %s revoked after the backup, and %s "
		    "valid again", lost->n == 1 ? "the token" : "each token", lost->n,
		    lost->n == 1 ? "was" : "were", lost->n == 1 ? "is" : "are");
	if (!lost->revoke && (in->options.values[AUDIT] == NULL || lost->incomplete))
		output_note("next: look for tokens that were revoked after %s, and revoke them again with "
		    "`berth token revoke ID`: they are valid", r->manifest.created_at);
	output_note("next: compare with `berth fsck --deep`, start pool and worker, and run `berth check`");
}

static int
run(struct invocation *in)
{
	static const char *const keys[] = { "backup", "created_at", "registry", "versions", "blobs",
		"blob_bytes", "copied", "copied_bytes", "missing", "revoked", "tokens" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	struct backup_target target;
	struct backup_restore r = { .target = &target,
		.store = in->settings->blobs,
		.conninfo = in->conninfo,
		.rights = in->options.values[GRANT_TO] == NULL };
	struct lost_tokens lost = { .n = 0 };

	if (backup_target_find(in->arena, in->args[0], settings_backup(in->arena, in->settings), &target,
		&in->err) == -1 ||
	    restore(in, &r, &lost) == -1)
		return -1;
	/* a run that goes on after an interruption copies fewer blobs than the backup has */
	output_row(&out,
	    (struct cell[]){ cell_str(r.manifest.name), cell_str(r.manifest.created_at),
		cell_str(r.manifest.registry), cell_int(r.manifest.versions), cell_int(r.manifest.blobs),
		cell_int(r.manifest.blob_bytes), cell_int(r.blobs), cell_int(r.bytes), cell_int(r.missing),
		cell_bool(lost.revoke),
		in->json ? cell_json(lost_tokens_json(in->arena, &lost)) : cell_int((int64_t)lost.n) });
	if (!in->json)
		lost_tokens_print(&lost);
	say_next(in, &r, &lost);
	return r.missing == 0 ? 0
			      : err_set(&in->err, 409,
				    "the backup lacks %" PRId64 " of the blobs, or cannot give them; `berth fsck --repair --from "
				    "%s` tries again, and names their versions",
				    r.missing, in->args[0]);
}

static const struct command commands[] = {
	{ NULL, "[--at NAME] [--create] [--grant-to ROLE] [--audit FILE [--revoke]] [--revoke-all] TARGET",
	    "Restores the newest backup of TARGET (see berth backup), or the one of that NAME, into an\n"
	    "empty store and an empty database, and joins the two.  It connects as the role that shall\n"
	    "own the tables.  --create makes the database, and the pool's role, where they are missing;\n"
	    "--grant-to gives that role its rights.  --audit lists the tokens that were revoked after\n"
	    "the backup according to an export of the audit log (berth audit --json), and with --revoke\n"
	    "ends them again; --revoke-all ends all tokens.",
	    COMMAND_OPTIONS(options), 1, 1, run },
};

const struct noun admin_restore = { "restore", COMMAND_LIST(commands), .configured = true };
