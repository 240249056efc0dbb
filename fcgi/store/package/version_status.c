#include "store/package/version_status.h"

#include <string.h>

#include "access/naming.h"
#include "store/package/index_rebuild.h"
#include "store/package/protection.h"

struct setting {
	struct arena *arena;
	const struct version_status *asked;
	const char *message; /* "" for none */
};

/* What is known of the version once its crate is locked. */
struct found {
	int64_t crate_id;
	const char *name;
	const char *normalized_name;
	const char *version;
	const char *status;
	const char *message;
};

static int
not_found(struct err *err)
{
	return err_set(err, 404, "Package Not Found");
}

static int
lock_crate(struct db *db, const struct setting *s, struct found *f, struct err *err)
{
	enum { COLUMNS_VERSION_DELETE_LOCK };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_int(&p, s->asked->project_id);
	db_bind_int(&p, s->asked->version_id);
	if (db_exec(db, s->arena, STMT_VERSION_DELETE_LOCK, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return not_found(err);
	f->crate_id = db_int(&r, 0, ID);
	f->name = db_str(&r, 0, NAME);
	f->normalized_name = db_str(&r, 0, NORMALIZED_NAME);
	return token_limits_check_crate(&s->asked->limits, f->name, err);
}

static int
find(struct db *db, const struct setting *s, struct found *f, struct err *err)
{
	enum { COLUMNS_VERSION_STATUS_FIND };
	struct db_call calls[] = { { .stmt = STMT_VERSION_STATUS_FIND }, { 0 } };
	const struct db_result *r = &calls[0].result;

	if (lock_crate(db, s, f, err) == -1)
		return -1;
	db_bind_int(&calls[0].params, s->asked->version_id);
	protection_delete_call(&calls[1], s->asked->project_id, f->normalized_name,
	    s->asked->delete_level);
	if (db_run(db, s->arena, calls, 2, err) == -1)
		return -1;
	if (r->rows == 0)
		return not_found(err);
	f->version = db_str(r, 0, VERSION);
	f->status = db_str(r, 0, STATUS);
	f->message = db_str(r, 0, MESSAGE);
	return protection_judge(&calls[1], err);
}

static int
set_body(struct db *db, void *arg, struct err *err)
{
	enum { SET, AUDIT, REBUILD };
	const struct setting *s = arg;
	const struct version_status *asked = s->asked;
	struct db_call calls[REBUILD + INDEX_REBUILD_CALLS] = {
		[SET] = { .stmt = STMT_VERSION_STATUS_SET } };
	struct index_rebuild *rebuild;
	struct audit_event event = { .action = AUDIT_CRATE_STATUS, .project_id = asked->project_id };
	const char *message = s->message[0] != '\0' ? s->message : NULL;
	struct found f = { .status = "", .message = "" };

	if (find(db, s, &f, err) == -1)
		return -1;
	if (strcmp(f.status, asked->status) == 0 && strcmp(f.message, s->message) == 0) {
		db_found_done(db);
		return 0;
	}
	db_bind_int(&calls[SET].params, asked->version_id);
	db_bind_str(&calls[SET].params, asked->status);
	db_bind_str(&calls[SET].params, message);
	event.crate = f.name;
	event.version = f.version;
	event.facts[0] = (struct audit_fact) { "status", asked->status, false };
	event.facts[1] = (struct audit_fact) { "before", f.status, false };
	event.facts[2] = (struct audit_fact) { "message", message, false };
	audit_call(&calls[AUDIT], s->arena, &asked->actor, &event);
	rebuild = index_rebuild_begin(s->arena, f.crate_id, &calls[REBUILD], err);
	if (rebuild == NULL ||
	    db_run(db, s->arena, calls, REBUILD + INDEX_REBUILD_CALLS, err) == -1)
		return -1;
	return index_rebuild_end(rebuild, db, s->arena, err);
}

int
version_set_status(struct db *db, struct arena *a, const struct version_status *asked,
    struct err *err)
{
	struct setting s = { a, asked, asked->message != NULL ? asked->message : "" };
	bool unknown;

	if (naming_check_text("status_message", s.message, err) == -1)
		return -1;
	/* it can be done twice, so a lost answer to COMMIT is answered by 503 and tried again */
	return db_transaction(db, set_body, &s, &unknown, err);
}
