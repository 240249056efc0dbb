#include "store/token/access_facts.h"

#include <string.h>

#include "base/cidr.h"

enum { DIGEST_SIZE = 32 };

static void
bind_digest(struct db_params *p, const unsigned char *digest)
{
	if (digest != NULL)
		db_bind_bytes(p, slice_of((const char *)digest, DIGEST_SIZE));
	else
		db_bind_null(p);
}

void
access_facts_call(struct db_call *call, struct arena *a, enum namespace_kind kind,
    const unsigned char *digest, const struct namespace_ref *namespace)
{
	/* for NAMESPACE_NONE the statement for projects finds no project */
	call->stmt = kind == NAMESPACE_GROUP ? STMT_ACCESS_FACTS_GROUP : STMT_ACCESS_FACTS;
	bind_digest(&call->params, digest);
	namespace_ref_bind(&call->params, a, namespace);
}

void
access_facts_grounds_call(struct db_call *call, const unsigned char *digest, int64_t project_id)
{
	call->stmt = STMT_ACCESS_FACTS_GROUNDS;
	bind_digest(&call->params, digest);
	db_bind_int(&call->params, project_id);
}

void
access_grounds_hold_call(struct db_call *call, const unsigned char *digest, int64_t project_id,
    const struct db_result *grounds)
{
	enum { COLUMNS_ACCESS_FACTS_GROUNDS };

	call->stmt = STMT_ACCESS_GROUNDS_HOLD;
	bind_digest(&call->params, digest);
	db_bind_int(&call->params, project_id);
	db_bind_str(&call->params, db_str(grounds, 0, GROUNDS));
	if (db_is_null(grounds, 0, ENDS))
		db_bind_null(&call->params);
	else
		db_bind_int(&call->params, db_int(grounds, 0, ENDS));
}

void
access_facts_view_call(struct db_call *call, struct arena *a, const unsigned char *digest,
    const struct namespace_ref *group, const char *name, bool creates)
{
	call->stmt = name == NULL ? STMT_ACCESS_FACTS_VIEW : STMT_ACCESS_FACTS_VIEW_NAME;
	bind_digest(&call->params, digest);
	namespace_ref_bind(&call->params, a, group);
	if (name == NULL)
		return;
	db_bind_str(&call->params, name);
	db_bind_bool(&call->params, creates);
}

int64_t
access_facts_view_id(const struct db_call *call, bool *has_name)
{
	enum { COLUMNS_ACCESS_FACTS_VIEW_NAME };
	const struct db_result *r = &call->result;

	*has_name = db_bool(r, 0, HAS_NAME);
	return db_int_or_0(r, 0, VIEW_ID);
}

void
access_facts_viewer_call(struct db_call *call, struct arena *a, enum namespace_kind kind, int64_t user_id,
    const struct namespace_ref *namespace)
{
	call->stmt = kind == NAMESPACE_GROUP ? STMT_ACCESS_FACTS_VIEWER_GROUP : STMT_ACCESS_FACTS_VIEWER;
	db_bind_id(&call->params, user_id);
	namespace_ref_bind(&call->params, a, namespace);
}

const struct access_facts access_facts_none = {
	.token_kind = "",
	.username = "",
	.limits.operations = TOKEN_ANY_OPERATION,
	.full_path = "",
	.visibility = "",
	.anonymous_networks = "",
};

/* Of every statement here. */
enum { COLUMNS_ACCESS_FACTS, FACTS_COLUMNS };

bool
access_facts_equal(const struct db_result *a, const struct db_result *b)
{
	return db_results_equal(a, b, FACTS_COLUMNS);
}

static void
read_token(const struct db_result *r, int row, struct access_facts *f)
{
	f->token_id = db_int(r, row, TOKEN_ID);
	f->token_kind = db_str(r, row, KIND);
	f->user_id = db_int_or_0(r, row, USER_ID);
	f->username = db_is_null(r, row, USERNAME) ? "" : db_str(r, row, USERNAME);
	f->token_state = (enum token_state)db_int(r, row, STATE);
	f->token_usable = f->token_state == TOKEN_USABLE;
	f->is_admin = db_bool(r, row, IS_ADMIN);
	f->scope_api = db_bool(r, row, SCOPE_API);
	f->scope_read_api = db_bool(r, row, SCOPE_READ_API);
	f->scope_read_packages = db_bool(r, row, SCOPE_READ_PACKAGES);
	f->scope_write_packages = db_bool(r, row, SCOPE_WRITE_PACKAGES);
	f->scope_create_job_token = db_bool(r, row, SCOPE_CREATE_JOB_TOKEN);
	f->limits.operations = token_operations_parse(db_str(r, row, OPERATIONS));
	f->limits.crates = db_str(r, row, CRATES);
	f->in_namespace = db_bool(r, row, IN_NAMESPACE);
	f->job_policy = (enum job_policy)db_int(r, row, JOB_POLICY);
	f->trust_rule_id = db_int_or_0(r, row, TRUST_RULE_ID);
}

static void
read_row(const struct db_result *r, int row, enum namespace_kind kind, struct access_facts *f)
{
	*f = access_facts_none;
	f->namespace_kind = kind;
	if (row >= r->rows)
		return;
	f->flags = db_str(r, row, FLAGS);
	if (!db_is_null(r, row, TOKEN_ID))
		read_token(r, row, f);
	if (!db_is_null(r, row, NAMESPACE_ID)) {
		*(kind == NAMESPACE_GROUP ? &f->group_id : &f->project_id) = db_int(r, row, NAMESPACE_ID);
		f->full_path = db_str(r, row, FULL_PATH);
		f->visibility = db_str(r, row, VISIBILITY);
		f->packages_enabled = db_bool(r, row, PACKAGES_ENABLED);
		f->public_packages = db_bool(r, row, PUBLIC_PACKAGES);
		f->access_level = (int)db_int(r, row, ACCESS_LEVEL);
		f->owns_crate = db_bool(r, row, OWNS_CRATE);
		f->anonymous_networks = db_str(r, row, NETWORKS);
	}
}

void
access_facts_read(const struct db_call *call, enum namespace_kind kind, struct access_facts *f)
{
	read_row(&call->result, 0, kind, f);
}

void
access_facts_read_row(const struct db_call *call, int row, enum namespace_kind kind, struct access_facts *f)
{
	read_row(&call->result, row, kind, f);
}

const char *
access_facts_policy(const struct db_call *call)
{
	return call->result.rows == 0 ? NULL : db_str(&call->result, 0, POLICY);
}

void
access_facts_switch(struct access_facts *f, enum flag flag)
{
	f->switched_off = !flag_is_on(flag, f->flags, f->project_id);
}

void
access_facts_locate(struct access_facts *f, const char *address)
{
	f->from_network = cidr_list_has(f->anonymous_networks, address);
}

static int
read_rows(struct db *db, struct arena *a, enum stmt stmt, enum namespace_kind kind,
    const struct db_params *p, struct access_facts **out, size_t *n, struct err *err)
{
	struct db_result r = { 0 };

	if (db_exec(db, a, stmt, p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		read_row(&r, i, kind, &(*out)[i]);
	return 0;
}

int
access_facts_projects(struct db *db, struct arena *a, int64_t token_id, int64_t group_id,
    bool below, struct access_facts **out, size_t *n, struct err *err)
{
	struct db_params p = { 0 };

	db_bind_id(&p, token_id);
	db_bind_int(&p, group_id);
	db_bind_bool(&p, below);
	return read_rows(db, a, STMT_ACCESS_FACTS_PROJECTS, NAMESPACE_PROJECT, &p, out, n, err);
}

int
access_facts_listed(struct db *db, struct arena *a, int64_t token_id, enum namespace_kind kind,
    const int64_t *ids, size_t nids, struct access_facts **out, size_t *n, struct err *err)
{
	struct db_params p = { 0 };

	db_bind_id(&p, token_id);
	db_bind_ids(&p, a, ids, nids);
	return read_rows(db, a, kind == NAMESPACE_GROUP ? STMT_ACCESS_FACTS_GROUPS
	                                                 : STMT_ACCESS_FACTS_LISTED,
	    kind, &p, out, n, err);
}

int
access_facts_rules(struct db *db, struct arena *a, int64_t token_id, const int64_t *rules,
    const char *const *digests, size_t nrules, struct access_facts **out, size_t *n, struct err *err)
{
	struct db_params p = { 0 };

	db_bind_int(&p, token_id);
	db_bind_ids(&p, a, rules, nrules);
	db_bind_array(&p, a, digests, nrules);
	return read_rows(db, a, STMT_ACCESS_FACTS_RULES, NAMESPACE_PROJECT, &p, out, n, err);
}

int
access_facts_viewer_listed(struct db *db, struct arena *a, int64_t user_id, const int64_t *ids, size_t nids,
    struct access_facts **out, size_t *n, struct err *err)
{
	struct db_params p = { 0 };

	db_bind_id(&p, user_id);
	db_bind_ids(&p, a, ids, nids);
	return read_rows(db, a, STMT_ACCESS_FACTS_VIEWER_LISTED, NAMESPACE_PROJECT, &p, out, n, err);
}

int
access_facts_viewer_registries(struct db *db, struct arena *a, int64_t user_id, struct access_facts **out,
    size_t *n, struct err *err)
{
	struct db_params p = { 0 };

	db_bind_id(&p, user_id);
	return read_rows(db, a, STMT_ACCESS_FACTS_VIEWER_REGISTRIES, NAMESPACE_GROUP, &p, out, n, err);
}
