#include "store/blob/store_compare.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "admin/command.h"
#include "admin/output.h"
#include "admin/upkeep/lost_tokens.h"
#include "config/settings.h"
#include "store/audit_log.h"
#include "store/backup/store_copy.h"
#include "store/blob/blob_store.h"
#include "store/blob/blob_trash.h"
#include "store/blob/store_file.h"
#include "store/blob/store_mark.h"

enum { ADOPT_AUDIT, ADOPT_DRY_RUN, ADOPT_FORCE, ADOPT_REVOKE, ADOPT_REVOKE_ALL };

static const struct option_def adopt_options[] = {
	[ADOPT_AUDIT] = { "audit", 0, "FILE", false },
	[ADOPT_DRY_RUN] = { "dry-run", 0, NULL, false },
	[ADOPT_FORCE] = { "force", 0, NULL, false },
	[ADOPT_REVOKE] = { "revoke", 0, NULL, false },
	[ADOPT_REVOKE_ALL] = { "revoke-all", 0, NULL, false },
};

enum { COLLECT_CONFIRM };

static const struct option_def collect_options[] = {
	[COLLECT_CONFIRM] = { "confirm", 0, NULL, true },
};

static int
show(struct invocation *in)
{
	static const char *const keys[] = { "registry", "store_id", "adopted_at", "marks", "restored", "held_files",
		"held_of", "held_at", "confirmed_at", "trash" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	char id[REGISTRY_ID_SIZE + 1] = "", mark[REGISTRY_ID_SIZE + 1] = "";
	struct store_status s;
	const struct blob_store *store = in->settings->blobs;
	int64_t trash;
	bool fits;

	if (db_connect(in->db, &in->err) == -1 ||
	    store_status_read(in->db, in->arena, &s, &in->err) == -1 ||
	    store_file_read(store, STORE_ID_FILE, id, sizeof(id), &in->err) == -1 ||
	    store_file_read(store, STORE_MARK_FILE, mark, sizeof(mark), &in->err) == -1 ||
	    blob_trash_count(store, &trash, &in->err) == -1)
		return -1;
	fits = (mark[0] == '\0' && s.mark == NULL) || (s.mark != NULL && strcmp(mark, s.mark) == 0) ||
	    (s.next_mark != NULL && strcmp(mark, s.next_mark) == 0);
	output_row(&out, (struct cell[]) { cell_str(s.registry), cell_str(id[0] != '\0' ? id : NULL),
	    cell_time(s.adopted_at), cell_str(fits ? "same" : "other"), cell_bool(s.restored),
	    cell_id(s.held_files), cell_id(s.held_of), cell_time(s.held_at), cell_time(s.confirmed_at),
	    cell_int(trash) });
	return 0;
}

static int
compare(struct invocation *in, const struct blob_store *store, struct store_identity *identity,
    struct store_comparison *c, const char **wrong)
{
	static const char *const keys[] = { "registry", "store_id", "blobs", "missing", "other_size", "files",
		"unknown", "fits" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };

	if (store_identity_registry(in->db, in->arena, identity, &in->err) == -1 ||
	    store_compare(in->db, store, c, &in->err) == -1)
		return -1;
	*wrong = store_comparison_judge(in->arena, c, identity->registry);
	output_row(&out, (struct cell[]) { cell_str(identity->registry),
	    cell_str(c->store_id[0] != '\0' ? c->store_id : NULL), cell_int(c->blobs), cell_int(c->missing),
	    cell_int(c->other_size), cell_int(c->files), cell_int(c->unknown), cell_bool(*wrong == NULL) });
	return 0;
}

/* Nothing tells the moment to which the database was restored; its newest event is the nearest to it. */
static int
check_export(struct invocation *in, struct lost_tokens *lost)
{
	const struct audit_filter every = { .action = NULL };
	struct audit_cursor newest;
	struct audit_row *row;
	size_t n;

	if (audit_log_open(in->db, in->arena, &every, false, &newest, &in->err) == -1 ||
	    audit_log_next(in->db, in->arena, &newest, 1, &row, &n, &in->err) == -1)
		return -1;
	return n == 0 ? 0 : lost_tokens_check_export(in->arena, lost, row->at, &in->err);
}

/* A database that was restored to an earlier moment accepts tokens that have ended since. */
static int
end_lost_tokens(struct invocation *in, struct lost_tokens *lost)
{
	static const char *const keys[] = { "revoked", "tokens" };
	struct output out = { in->arena, in->json, keys, 2 };

	if (in->options.values[ADOPT_AUDIT] == NULL && !lost->all)
		return 0;
	if (check_export(in, lost) == -1 ||
	    lost_tokens_end(in->db, in->arena, &in->actor, lost, &in->err) == -1)
		return -1;
	output_row(&out, (struct cell[]) { cell_bool(lost->revoke),
	    in->json ? cell_json(lost_tokens_json(in->arena, lost)) : cell_int((int64_t)lost->n) });
	if (!in->json)
		lost_tokens_print(lost);
	return 0;
}

static int
adopt(struct invocation *in)
{
	const char *const *given = in->options.values;
	bool dry_run = given[ADOPT_DRY_RUN] != NULL;
	bool force = given[ADOPT_FORCE] != NULL;
	struct lost_tokens lost = { .n = 0 };
	struct store_identity identity = { 0 };
	struct store_comparison c;
	const struct blob_store *store = in->settings->blobs;
	const char *wrong;

	if (lost_tokens_options(in->arena, given[ADOPT_AUDIT], given[ADOPT_REVOKE] != NULL,
	        given[ADOPT_REVOKE_ALL] != NULL, &lost, &in->err) == -1)
		return -1;
	/* a comparison changes nothing */
	lost.revoke = lost.revoke && !dry_run;
	if (compare(in, store, &identity, &c, &wrong) == -1)
		return -1;
	if (wrong != NULL && !force)
		return err_set(&in->err, 409,
		    "database and store do not match: %s; to adopt this store anyway, use --force",
		    wrong);
	if (end_lost_tokens(in, &lost) == -1)
		return -1;
	return dry_run ? 0 : store_adopt(in->db, in->arena, &in->actor, store, identity.registry,
	    c.store_id[0] != '\0' ? c.store_id : NULL, &in->err);
}

/* Finds the store that an argument names; its directory must exist. */
static struct blob_store *
named_store(struct invocation *in, const char *name)
{
	const char *wrong = blob_store_name_check(name);
	struct blob_store *store;

	if (wrong != NULL) {
		err_set(&in->err, 400, "the store %s %s", name, wrong);
		return NULL;
	}
	store = settings_store(in->arena, in->settings, name);
	blob_store_be_patient(store);
	if (access(store->dir, F_OK) == 0)
		return store;
	err_set(&in->err, 409,
	    "%s: the directory %s does not exist; make it for the pool's user: install -d -o berth "
	    "-g berth-store -m 2750 %s", store->kind->dir_key, store->dir, store->dir);
	return NULL;
}

static int
copy(struct invocation *in)
{
	static const char *const keys[] = { "from", "to", "blobs", "copied", "copied_bytes", "missing" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	struct store_copy c = { .db = in->db };

	if ((c.from = named_store(in, in->args[0])) == NULL ||
	    (c.to = named_store(in, in->args[1])) == NULL)
		return -1;
	if (strcmp(in->args[0], in->args[1]) == 0)
		return err_set(&in->err, 400, "FROM and TO are the same store, %s: name two stores", in->args[0]);
	if (store_copy_run(in->arena, &c, &in->err) == -1)
		return -1;
	output_row(&out, (struct cell[]) { cell_str(c.from->name), cell_str(c.to->name), cell_int(c.blobs),
	    cell_int(c.copied), cell_int(c.copied_bytes), cell_int(c.missing) });
	return c.missing == 0 ? 0 : err_set(&in->err, 409,
	    "%s lacks %" PRId64 " of the blobs, or has them with wrong "
	    "bytes: `berth fsck --deep` names their versions", c.from->name, c.missing);
}

static int
collect(struct invocation *in)
{
	static const char *const keys[] = { "files" };
	struct output out = { in->arena, in->json, keys, 1 };
	int64_t files;

	if (db_connect(in->db, &in->err) == -1 ||
	    store_confirm(in->db, in->arena, &in->actor, &files, &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_int(files) });
	return 0;
}

static const struct command commands[] = {
	{ "show", "",
	    "Shows the ids of registry and store, and the collection that waits for\n"
	    "confirmation, if any.",
	    NULL, 0, 0, 0, show },
	{ "adopt", "[--dry-run] [--force] [--audit FILE [--revoke]] [--revoke-all]",
	    "Compares all blobs of database and store, and joins the two if they match.  Run it after\n"
	    "an upgrade from a version without store ids, and after a restore of one of the two.\n"
	    "For keep_unused after that, collections remove nothing.  --dry-run: only compares.\n"
	    "--force: also adopts a store that does not match, or belongs to another registry.  Use the\n"
	    "others after a restore of the database to an earlier moment.  --audit: lists the tokens\n"
	    "that ended later, according to an export of the audit log (berth audit --json).  --revoke:\n"
	    "also revokes them again.  --revoke-all: revokes all tokens.",
	    COMMAND_OPTIONS(adopt_options), 0, 0, adopt },
	{ "copy", "FROM TO",
	    "Copies all blobs that versions need from one store to another, each a directory or\n"
	    "s3://BUCKET[/PREFIX], while the registry serves, and compares each with its SHA-256.\n"
	    "It skips blobs that TO has already, so a second run continues the first one, and copies\n"
	    "what was published meanwhile.  See berth-operations(7) for how to change to the new store.",
	    NULL, 0, 2, 2, copy },
	{ "collect", "--confirm",
	    "Confirms, for one run, the collection that waits because it would remove many files,\n"
	    "and prints how many it may remove.  See berth-operations(7) for what to check first.",
	    COMMAND_OPTIONS(collect_options), 0, 0, collect },
};

const struct noun admin_store = { "store", COMMAND_LIST(commands), .named = true };
