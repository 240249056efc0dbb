#include "api/gitlab/trust_rules.h"

#include <strings.h>

#include "access/token_words.h"
#include "access/trust.h"
#include "auth/token_form.h"
#include "call/json_response.h"
#include "call/params.h"
#include "store/token/issuer.h"
#include "store/token/trust_rule.h"

const struct route_policy trust_rules_read_policy = { .action = ACTION_READ_SETTINGS,
	.flag = FLAG_TRUSTED_PUBLISHING };
const struct route_policy trust_rules_change_policy = { .action = ACTION_CHANGE_SETTINGS,
	.flag = FLAG_TRUSTED_PUBLISHING };

static struct namespace_ref
project_of(const struct call *call)
{
	return (struct namespace_ref) { .id = call->facts.project_id };
}

static void
put_rule(struct json_out *o, const struct trust_rule *r)
{
	json_out_open(o, '{');
	json_out_key_int(o, "id", r->id);
	json_out_key_str(o, "issuer", r->issuer);
	json_out_key(o, "claims");
	json_out_raw(o, slice_str(r->claims));
	json_out_key_words(o, "crates", r->crates);
	json_out_key_words(o, "operations", r->operations);
	json_out_key_str(o, "user", r->username);
	json_out_key_str(o, "owner_id", r->owner_id);
	if (r->created_at != 0)
		json_out_key_time(o, "created_at", r->created_at);
	json_out_close(o, '}');
}

int
trust_rules_list(struct call *call, struct request *rq, struct response *rs)
{
	const struct namespace_ref project = project_of(call);
	struct trust_rule *rules;
	struct json_response json;
	size_t n;

	if (trust_rule_list(call->app->db, rq->arena, &project, &rules, &n, &rq->err) == -1)
		return -1;
	json_response_begin_list(&json, rq);
	for (size_t i = 0; i < n; i++)
		put_rule(&json.o, &rules[i]);
	json_out_close(&json.o, ']');
	return json_response_send(&json, rq, rs, 200);
}

/* Only a body of JSON can hold an object; what its claims mean depends on the kind of issuer. */
static int
read_claims(struct worker_app *app, struct request *rq, struct params *params,
    struct trust_rule *rule)
{
	struct json_object *claims = NULL;

	if (params->json == NULL || !json_object_object_get_ex(params->json, "claims", &claims))
		return err_set(&rq->err, 400, "claims is missing");
	if (issuer_check_patterns(app->db, rq->arena, rule->issuer, claims, &rq->err) == -1)
		return -1;
	rule->claims = arena_strdup(rq->arena,
	    json_object_to_json_string_ext(claims, JSON_C_TO_STRING_PLAIN));
	return 0;
}

static int
read_rule(struct call *call, struct request *rq, struct trust_rule *rule)
{
	static const char *const limits[] = { "crates", "operations", NULL };
	const char *crates = NULL, *operations = "publish-new,publish-update";
	struct params params;

	if (params_read(rq, &params) == -1 || token_form_refuse_limits(&params, limits) == -1 ||
	    params_required(&params, "issuer", &rule->issuer) == -1 ||
	    params_words(&params, "crates", &crates) == -1 ||
	    params_words(&params, "operations", &operations) == -1 ||
	    params_str(&params, "user", &rule->username) == -1 ||
	    read_claims(call->app, rq, &params, rule) == -1)
		return -1;
	if ((crates != NULL &&
	        token_words_crates(rq->arena, crates, &rule->crates, &rq->err) == -1) ||
	    token_words_parse(rq->arena, &token_words_operations, operations, &rule->operations,
	        &rq->err) == -1)
		return -1;
	if (rule->username == NULL)
		return 0;
	/* as the database compares names */
	if (strcasecmp(rule->username, call->facts.username) == 0)
		rule->username = call->facts.username;
	/* else a maintainer would get what an owner may, or leave something in another's name */
	else if (!call->facts.is_admin)
		return err_set(&rq->err, 403, "jobs can act only for you or for nobody");
	return 0;
}

int
trust_rules_add(struct call *call, struct request *rq, struct response *rs)
{
	const struct audit_actor actor = call_actor(call, rq);
	const struct namespace_ref project = project_of(call);
	struct trust_rule rule = { .id = 0 };
	struct json_response json;

	if (read_rule(call, rq, &rule) == -1 ||
	    trust_rule_add(call->app->db, rq->arena, &actor, &project, &rule, &rule.id,
	        &rq->err) == -1)
		return -1;
	json_response_init(&json, rq);
	put_rule(&json.o, &rule);
	return json_response_send(&json, rq, rs, 201);
}

int
trust_rules_remove(struct call *call, struct request *rq, struct response *rs)
{
	const struct audit_actor actor = call_actor(call, rq);
	const struct namespace_ref project = project_of(call);
	int64_t id;

	if (params_path_id(rq, "rule_id", &id) == -1 ||
	    trust_rule_remove(call->app->db, rq->arena, &actor, &project, id, &rq->err) == -1)
		return -1;
	return json_response_empty(rs);
}
