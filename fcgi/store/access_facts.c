#include "store/access_facts.h"

enum { DIGEST_SIZE = 32 };

void
project_ref_bind(struct db_params *p, struct arena *a, const struct project_ref *project)
{
	if (project->id != 0) {
		db_bind_int(p, project->id);
		db_bind_null(p);
	} else {
		db_bind_null(p);
		db_bind_slice(p, a, project->path);
	}
}

void
access_facts_call(struct db_call *call, struct arena *a, const unsigned char *digest,
    const struct project_ref *project)
{
	call->stmt = STMT_ACCESS_FACTS;
	if (digest != NULL)
		db_bind_bytes(&call->params, slice_of((const char *)digest, DIGEST_SIZE));
	else
		db_bind_null(&call->params);
	project_ref_bind(&call->params, a, project);
}

void
access_facts_read(const struct db_call *call, struct access_facts *f)
{
	const struct db_result *r = &call->result;

	*f = (struct access_facts) { .token_kind = "", .username = "", .full_path = "", .visibility = "" };
	if (r->rows != 1)
		return;
	if (!db_is_null(r, 0, 0)) {
		f->token_id = db_int(r, 0, 0);
		f->token_kind = db_str(r, 0, 1);
		f->user_id = db_is_null(r, 0, 2) ? 0 : db_int(r, 0, 2);
		f->username = db_is_null(r, 0, 3) ? "" : db_str(r, 0, 3);
		f->token_usable = !db_is_null(r, 0, 4) && db_bool(r, 0, 4);
		f->is_admin = db_bool(r, 0, 5);
		f->scope_api = db_bool(r, 0, 6);
		f->scope_read_api = db_bool(r, 0, 7);
	}
	if (!db_is_null(r, 0, 8)) {
		f->project_id = db_int(r, 0, 8);
		f->full_path = db_str(r, 0, 9);
		f->visibility = db_str(r, 0, 10);
		f->packages_enabled = db_bool(r, 0, 11);
		f->public_packages = db_bool(r, 0, 12);
		f->access_level = (int)db_int(r, 0, 13);
	}
}
