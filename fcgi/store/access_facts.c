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
access_facts_call(struct db_call *call, struct arena *a, enum subject subject,
    const unsigned char *digest, const struct project_ref *place)
{
	/* where the place is none, the statement for projects finds none */
	call->stmt = subject == SUBJECT_GROUP ? STMT_ACCESS_FACTS_GROUP : STMT_ACCESS_FACTS;
	if (digest != NULL)
		db_bind_bytes(&call->params, slice_of((const char *)digest, DIGEST_SIZE));
	else
		db_bind_null(&call->params);
	project_ref_bind(&call->params, a, place);
}

/* The columns of the statement. */
enum {
	TOKEN,
	KIND,
	USER,
	USERNAME,
	USABLE,
	ADMIN,
	SCOPE_API,
	SCOPE_READ_API,
	SCOPE_READ_PACKAGES,
	SCOPE_WRITE_PACKAGES,
	OPERATIONS,
	CRATES,
	IN_PLACE,
	JOB_POLICY,
	PLACE,
	FULL_PATH,
	VISIBILITY,
	ENABLED,
	PUBLIC_PACKAGES,
	LEVEL
};

static void
read_token(const struct db_result *r, struct access_facts *f)
{
	f->token_id = db_int(r, 0, TOKEN);
	f->token_kind = db_str(r, 0, KIND);
	f->user_id = db_is_null(r, 0, USER) ? 0 : db_int(r, 0, USER);
	f->username = db_is_null(r, 0, USERNAME) ? "" : db_str(r, 0, USERNAME);
	f->token_usable = !db_is_null(r, 0, USABLE) && db_bool(r, 0, USABLE);
	f->is_admin = db_bool(r, 0, ADMIN);
	f->scope_api = db_bool(r, 0, SCOPE_API);
	f->scope_read_api = db_bool(r, 0, SCOPE_READ_API);
	f->scope_read_packages = db_bool(r, 0, SCOPE_READ_PACKAGES);
	f->scope_write_packages = db_bool(r, 0, SCOPE_WRITE_PACKAGES);
	f->limits.operations = token_operations_parse(db_str(r, 0, OPERATIONS));
	f->limits.crates = db_str(r, 0, CRATES);
	f->in_place = db_bool(r, 0, IN_PLACE);
	f->job_policy = (enum job_policy)db_int(r, 0, JOB_POLICY);
}

void
access_facts_read(const struct db_call *call, enum subject subject, struct access_facts *f)
{
	const struct db_result *r = &call->result;

	*f = (struct access_facts) {
		.token_kind = "",
		.username = "",
		.limits.operations = TOKEN_ANY_OPERATION,
		.subject = subject,
		.full_path = "",
		.visibility = "",
	};
	if (r->rows != 1)
		return;
	if (!db_is_null(r, 0, TOKEN))
		read_token(r, f);
	if (!db_is_null(r, 0, PLACE)) {
		*(subject == SUBJECT_GROUP ? &f->group_id : &f->project_id) = db_int(r, 0, PLACE);
		f->full_path = db_str(r, 0, FULL_PATH);
		f->visibility = db_str(r, 0, VISIBILITY);
		f->packages_enabled = db_bool(r, 0, ENABLED);
		f->public_packages = db_bool(r, 0, PUBLIC_PACKAGES);
		f->access_level = (int)db_int(r, 0, LEVEL);
	}
}
