#include "store/package/version_status.h"

#include <string.h>

#include "access/naming.h"
#include "store/package/index_rebuild.h"

struct setting {
	struct arena *arena;
	const struct version_change *asked;
	const char *status;
	const char *message; /* "" for none */
};

static int
set_body(struct db *db, void *arg, struct err *err)
{
	enum { SET, AUDIT, REBUILD };
	const struct setting *s = arg;
	const struct version_change *asked = s->asked;
	struct db_call calls[REBUILD + INDEX_REBUILD_CALLS] = {
		[SET] = { .stmt = STMT_VERSION_STATUS_SET } };
	struct index_rebuild *rebuild;
	struct audit_event event = { .action = AUDIT_CRATE_STATUS, .project_id = asked->project_id };
	const char *message = s->message[0] != '\0' ? s->message : NULL;
	struct version_locked f = { .status = "", .message = "" };

	if (version_lock(db, s->arena, asked, false, &f, err) == -1)
		return -1;
	if (strcmp(f.status, s->status) == 0 && strcmp(f.message, s->message) == 0) {
		db_found_done(db);
		return 0;
	}
	db_bind_int(&calls[SET].params, asked->version_id);
	db_bind_str(&calls[SET].params, s->status);
	db_bind_str(&calls[SET].params, message);
	event.crate = f.name;
	event.version = f.version;
	event.facts[0] = (struct audit_fact) { "status", s->status, false };
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
version_set_status(struct db *db, struct arena *a, const struct version_change *asked, const char *status,
    const char *message, struct err *err)
{
	struct setting s = { a, asked, status, message != NULL ? message : "" };
	bool unknown;

	if (naming_check_text("status_message", s.message, err) == -1)
		return -1;
	/* it can be done twice, so a lost answer to COMMIT is answered by 503 and tried again */
	return db_transaction(db, set_body, &s, &unknown, err);
}
