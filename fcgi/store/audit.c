#include "store/audit.h"

#include <assert.h>
#include <inttypes.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"

/* A few names and values, each of which was bounded before. */
enum { DETAIL_MAX = 4 << 20 };

const char *const audit_action_names[AUDIT__MAX] = {
	[AUDIT_CRATE_DELETE] = "crate.delete",
	[AUDIT_CRATE_PUBLISH] = "crate.publish",
	[AUDIT_CRATE_REPAIR] = "crate.repair",
	[AUDIT_CRATE_STATUS] = "crate.status",
	[AUDIT_CRATE_YANK] = "crate.yank",
	[AUDIT_CRATE_UNYANK] = "crate.unyank",
	[AUDIT_CRATE_UNDELETE] = "crate.undelete",
	[AUDIT_FLAG_SET] = "flag.set",
	[AUDIT_FLAG_UNSET] = "flag.unset",
	[AUDIT_GROUP_CREATE] = "group.create",
	[AUDIT_GROUP_SET] = "group.set",
	[AUDIT_ISSUER_CREATE] = "issuer.create",
	[AUDIT_ISSUER_REMOVE] = "issuer.remove",
	[AUDIT_ISSUER_SET] = "issuer.set",
	[AUDIT_TASK_REMOVE] = "task.remove",
	[AUDIT_TASK_RETRY] = "task.retry",
	[AUDIT_MEMBER_SET] = "member.set",
	[AUDIT_MEMBER_REMOVE] = "member.remove",
	[AUDIT_OWNER_ADD] = "owner.add",
	[AUDIT_OWNER_REMOVE] = "owner.remove",
	[AUDIT_PROJECT_ALLOW] = "project.allow",
	[AUDIT_PROJECT_CREATE] = "project.create",
	[AUDIT_PROJECT_DISALLOW] = "project.disallow",
	[AUDIT_PROJECT_SET] = "project.set",
	[AUDIT_PROJECT_UNPIN] = "project.unpin",
	[AUDIT_PROTECTION_CHANGE] = "protection.change",
	[AUDIT_PROTECTION_CREATE] = "protection.create",
	[AUDIT_PROTECTION_REMOVE] = "protection.remove",
	[AUDIT_QUOTA_SET] = "quota.set",
	[AUDIT_RETENTION_SET] = "retention.set",
	[AUDIT_SCHEMA_GRANT] = "schema.grant",
	[AUDIT_SCHEMA_MIGRATE] = "schema.migrate",
	[AUDIT_STORE_ADOPT] = "store.adopt",
	[AUDIT_STORE_CONFIRM] = "store.confirm",
	[AUDIT_TOKEN_CREATE] = "token.create",
	[AUDIT_TOKEN_KEY_CREATE] = "token_key.create",
	[AUDIT_TOKEN_KEY_RETIRE] = "token_key.retire",
	[AUDIT_TOKEN_REUSE] = "token.reuse",
	[AUDIT_TOKEN_REVOKE] = "token.revoke",
	[AUDIT_TOKEN_ROTATE] = "token.rotate",
	[AUDIT_TRUST_CREATE] = "trust.create",
	[AUDIT_TRUST_REMOVE] = "trust.remove",
	[AUDIT_USER_BLOCK] = "user.block",
	[AUDIT_USER_CREATE] = "user.create",
	[AUDIT_USER_LINK] = "user.link",
	[AUDIT_USER_SET] = "user.set",
	[AUDIT_USER_SIGNIN] = "user.signin",
	[AUDIT_USER_SIGNOUT] = "user.signout",
	[AUDIT_USER_UNBLOCK] = "user.unblock",
	[AUDIT_USER_UNPIN] = "user.unpin",
};

bool
audit_action_exists(struct slice name)
{
	for (size_t i = 0; i < AUDIT__MAX; i++) {
		if (slice_is(name, audit_action_names[i]))
			return true;
	}
	return false;
}

struct audit_fact
audit_fact_int(struct arena *a, const char *key, int64_t n)
{
	return (struct audit_fact) { key, arena_printf(a, "%" PRId64, n), true };
}

struct audit_fact
audit_fact_time(struct arena *a, const char *key, int64_t seconds)
{
	char *text = arena_alloc(a, CLOCK_RFC3339_SIZE);

	clock_rfc3339((time_t)seconds, text);
	return (struct audit_fact) { key, text, false };
}

struct audit_fact
audit_fact_words(struct arena *a, const char *key, const char *const *words, size_t n)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, a, DETAIL_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '[');
	for (size_t i = 0; i < n; i++)
		json_out_str(&o, words[i]);
	json_out_close(&o, ']');
	assert(!buf_full(&b));
	return (struct audit_fact) { key, buf_str(&b), true };
}

static void
put_fact(struct json_out *o, const struct audit_fact *fact)
{
	if (fact->value == NULL)
		return;
	json_out_key(o, fact->key);
	if (fact->json)
		json_out_raw(o, slice_str(fact->value));
	else
		json_out_str(o, fact->value);
}

const char *
audit_detail(struct arena *a, const struct audit_actor *actor, const struct audit_event *event)
{
	const struct audit_fact command[] = {
		{ "system_user", actor->system_user, false },
		{ "sudo_user", actor->sudo_user, false },
		{ "host", actor->host, false },
	};
	struct json_out o;
	struct buf b;

	buf_init(&b, a, DETAIL_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	if (event->id_key != NULL)
		json_out_key_int(&o, event->id_key, event->id);
	for (size_t i = 0; i < AUDIT_FACTS_MAX && event->facts[i].key != NULL; i++)
		put_fact(&o, &event->facts[i]);
	for (size_t i = 0; i < sizeof(command) / sizeof(*command); i++)
		put_fact(&o, &command[i]);
	json_out_close(&o, '}');
	assert(!buf_full(&b));
	return buf_str(&b);
}

void
audit_call(struct db_call *call, struct arena *a, const struct audit_actor *actor,
    const struct audit_event *event)
{
	struct db_params *p = &call->params;

	call->stmt = STMT_AUDIT_ADD;
	db_bind_str(p, audit_action_names[event->action]);
	db_bind_id(p, actor->user_id);
	db_bind_id(p, actor->token_id);
	db_bind_id(p, event->project_id);
	db_bind_str(p, event->crate);
	db_bind_str(p, event->version);
	db_bind_str(p, actor->remote_addr);
	db_bind_str(p, actor->request_id);
	db_bind_str(p, audit_detail(a, actor, event));
}

int
audit_add(struct db *db, struct arena *a, const struct audit_actor *actor,
    const struct audit_event *event, struct err *err)
{
	struct db_call call = { .stmt = STMT__MAX };

	if (actor->changed != NULL)
		*actor->changed = true;
	audit_call(&call, a, actor, event);
	return db_run(db, a, &call, 1, err);
}

struct change {
	struct arena *arena;
	const struct audit_actor *actor;
	struct db_call *call;
	struct audit_event *event;
};

/* Does the caller's own token end? */
static bool
ends_own_token(const struct change *change)
{
	const struct audit_event *event = change->event;

	return (event->action == AUDIT_TOKEN_REVOKE || event->action == AUDIT_TOKEN_ROTATE) &&
	    event->id != 0 && event->id == change->actor->token_id;
}

static int
change_body(struct db *db, void *arg, struct err *err)
{
	enum { COLUMNS_FLAG_SET }; /* as of every statement that runs here */
	struct change *change = arg;
	struct audit_event *event = change->event;
	struct db_result *r = &change->call->result;

	if (ends_own_token(change) && db_guard_first(db, err) == -1)
		return -1;
	if (db_run(db, change->arena, change->call, 1, err) == -1)
		return -1;
	if (r->rows == 0 || !db_bool(r, 0, CHANGED))
		db_found_done(db);
	if (r->rows == 0)
		return 0;
	event->id = db_int(r, 0, ID);
	if (event->id_key == NULL)
		event->project_id = event->id;
	if (!db_bool(r, 0, CHANGED))
		return 0;
	return audit_add(db, change->arena, change->actor, event, err);
}

int
audit_change(struct db *db, struct arena *a, const struct audit_actor *actor, struct db_call *call,
    struct audit_event *event, struct err *err)
{
	struct change change = { a, actor, call, event };
	bool unknown;

	return db_transaction(db, change_body, &change, &unknown, err);
}
