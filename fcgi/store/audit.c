#include "store/audit.h"

void
audit_version_call(struct db_call *call, const struct audit_actor *actor, const char *action,
    int64_t project_id, const char *crate, const char *version)
{
	struct db_params *p = &call->params;

	call->stmt = STMT_AUDIT_ADD;
	db_bind_str(p, action);
	db_bind_int(p, actor->user_id);
	db_bind_int(p, actor->token_id);
	db_bind_int(p, project_id);
	db_bind_str(p, crate);
	db_bind_str(p, version);
	db_bind_str(p, actor->remote_addr);
	db_bind_str(p, actor->request_id);
	db_bind_null(p);
}
