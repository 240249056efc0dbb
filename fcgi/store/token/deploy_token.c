#include "store/token/deploy_token.h"

#include <inttypes.h>

static void
bind_namespace(struct db_params *p, const struct deploy_token_namespace *namespace)
{
	db_bind_id(p, namespace->project_id);
	db_bind_id(p, namespace->group_id);
}

static int
not_found(struct err *err)
{
	return err_set(err, 404, "Deploy Token Not Found");
}

static int
list(struct db *db, struct arena *a, const struct deploy_token_namespace *namespace, int64_t id,
    const bool *active, struct deploy_token **out, size_t *n, struct err *err)
{
	enum { COLUMNS_DEPLOY_TOKEN_LIST };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	bind_namespace(&p, namespace);
	db_bind_id(&p, id);
	if (active != NULL)
		db_bind_bool(&p, *active);
	else
		db_bind_null(&p);
	if (db_exec(db, a, STMT_DEPLOY_TOKEN_LIST, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct deploy_token) {
			.id = db_int(&r, i, ID),
			.name = db_str(&r, i, NAME),
			/* of one that was made without */
			.login = !db_is_null(&r, i, LOGIN) ? db_str(&r, i, LOGIN) :
							 arena_printf(a,
							     "berth+deploy-token-%" PRId64,
							     db_int(&r, i, ID)),
			.scopes = db_str(&r, i, SCOPES),
			.expires_at = db_str(&r, i, EXPIRES_AT),
			.revoked = db_bool(&r, i, REVOKED),
			.expired = db_bool(&r, i, EXPIRED),
		};
	return 0;
}

int
deploy_token_list(struct db *db, struct arena *a, const struct deploy_token_namespace *namespace,
    const bool *active, struct deploy_token **out, size_t *n, struct err *err)
{
	return list(db, a, namespace, 0, active, out, n, err);
}

int
deploy_token_find(struct db *db, struct arena *a, const struct deploy_token_namespace *namespace,
    int64_t id, struct deploy_token *out, struct err *err)
{
	struct deploy_token *tokens;
	size_t n = 0;

	/* no token has the id 0, which would be all of them */
	if (id != 0 && list(db, a, namespace, id, NULL, &tokens, &n, err) == -1)
		return -1;
	if (n == 0)
		return not_found(err);
	*out = tokens[0];
	return 0;
}

int
deploy_token_revoke(struct db *db, struct arena *a, const struct audit_actor *actor,
    const struct deploy_token_namespace *namespace, int64_t id, struct err *err)
{
	struct audit_event event = { .action = AUDIT_TOKEN_REVOKE, .project_id = namespace->project_id,
		.id_key = "token_id" };
	struct db_call call = { .stmt = STMT_DEPLOY_TOKEN_REVOKE };

	bind_namespace(&call.params, namespace);
	db_bind_int(&call.params, id);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	return call.result.rows == 0 ? not_found(err) : 0;
}
