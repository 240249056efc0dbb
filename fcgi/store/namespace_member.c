#include "store/namespace_member.h"

static void
bind_namespace(struct db_params *p, const struct member_namespace *namespace)
{
	db_bind_id(p, namespace->project_id);
	db_bind_id(p, namespace->group_id);
}

static int
not_found(struct err *err)
{
	return err_set(err, 404, "Member Not Found");
}

static int
list(struct db *db, struct arena *a, const struct member_namespace *namespace, int64_t user_id,
    const struct namespace_member_filter *filter, struct namespace_member **out, size_t *n,
    struct err *err)
{
	enum { COLUMNS_NAMESPACE_MEMBER_LIST };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	bind_namespace(&p, namespace);
	db_bind_bool(&p, filter->inherited);
	db_bind_id(&p, user_id);
	db_bind_str(&p, filter->query);
	if (db_exec(db, a, STMT_NAMESPACE_MEMBER_LIST, &p, &r, err) == -1)
		return -1;
	*n = (size_t)r.rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r.rows; i++)
		(*out)[i] = (struct namespace_member) {
			.user_id = db_int(&r, i, USER_ID),
			.username = db_str(&r, i, USERNAME),
			.name = db_str(&r, i, NAME),
			.state = db_str(&r, i, STATE),
			.level = db_int(&r, i, ACCESS_LEVEL),
			.expires_at = db_str(&r, i, EXPIRES_AT),
			.ends_at = db_time(&r, i, ENDS_AT),
			.created_at = db_str(&r, i, CREATED_AT),
		};
	return 0;
}

int
namespace_member_list(struct db *db, struct arena *a, const struct member_namespace *namespace,
    const struct namespace_member_filter *filter, struct namespace_member **out, size_t *n,
    struct err *err)
{
	return list(db, a, namespace, 0, filter, out, n, err);
}

int
namespace_member_find(struct db *db, struct arena *a, const struct member_namespace *namespace,
    bool inherited, int64_t user_id, struct namespace_member *out, struct err *err)
{
	const struct namespace_member_filter filter = { inherited, NULL };
	struct namespace_member *members;
	size_t n = 0;

	/* no user has the id 0, which would be all of them */
	if (user_id != 0 && list(db, a, namespace, user_id, &filter, &members, &n, err) == -1)
		return -1;
	if (n == 0)
		return not_found(err);
	*out = members[0];
	return 0;
}

struct setting {
	struct arena *arena;
	const struct audit_actor *actor;
	const struct member_namespace *namespace;
	const struct namespace_member_set *set;
	int64_t user_id;
};

/* What is there now, the namespace being locked. */
struct found {
	const char *username;
	int64_t level; /* 0: no member */
	int64_t expires_at;
	bool last_owner; /* there is nobody else, here or above */
};

static int
find(struct db *db, struct setting *s, struct found *f, struct err *err)
{
	enum { COLUMNS_NAMESPACE_MEMBER_FIND };
	struct db_call calls[] = { { .stmt = STMT_NAMESPACE_MEMBER_LOCK_NAMESPACE },
		{ .stmt = STMT_NAMESPACE_MEMBER_FIND } };
	const struct db_result *r = &calls[1].result;

	bind_namespace(&calls[0].params, s->namespace);
	bind_namespace(&calls[1].params, s->namespace);
	db_bind_id(&calls[1].params, s->set->user_id);
	db_bind_str(&calls[1].params, s->set->username);
	if (db_run(db, s->arena, calls, 2, err) == -1)
		return -1;
	if (db_is_null(r, 0, USER_ID))
		return err_set(err, 404, "User Not Found");
	s->user_id = db_int(r, 0, USER_ID);
	f->username = db_str(r, 0, USERNAME);
	f->level = db_int_or_0(r, 0, ACCESS_LEVEL);
	f->expires_at = db_time(r, 0, EXPIRES_AT);
	f->last_owner = f->level == MEMBER_OWNER && !db_bool(r, 0, HAS_OTHER_OWNER);
	return 0;
}

static bool
removes(const struct namespace_member_set *set)
{
	return set->change == NAMESPACE_MEMBER_REMOVE ||
	    (set->change == NAMESPACE_MEMBER_SET && set->level == MEMBER_NONE);
}

/* Is the member no owner then, or for a shorter time? */
static bool
takes_ownership(const struct setting *s, const struct found *f, int64_t expires_at)
{
	return removes(s->set) || s->set->level != MEMBER_OWNER ||
	    (expires_at != 0 && (f->expires_at == 0 || expires_at < f->expires_at));
}

/* May this be done, by one of that level, to one of this? */
static int
check(const struct setting *s, const struct found *f, int64_t expires_at, struct err *err)
{
	const struct namespace_member_set *set = s->set;
	bool needs_member = set->change == NAMESPACE_MEMBER_EDIT || set->change == NAMESPACE_MEMBER_REMOVE;

	if (set->change == NAMESPACE_MEMBER_ADD && f->level != 0)
		return err_set(err, 409, "Member already exists");
	if (needs_member && f->level == 0)
		return not_found(err);
	if (set->level > set->granter)
		return err_set(err, 403, "you cannot grant a role above your own");
	if (f->level > set->granter)
		return err_set(err, 403, "you cannot change a member whose role is above your own");
	if (f->last_owner && !set->force && takes_ownership(s, f, expires_at))
		return err_set(err, 403, "user `%s` is the last owner of `%s`: make another user an owner first",
		    f->username, s->namespace->full_path);
	return 0;
}

static void
change_call(struct db_call *call, const struct setting *s, int64_t expires_at)
{
	const struct member_namespace *namespace = s->namespace;
	struct db_params *p = &call->params;

	db_bind_int(p, s->user_id);
	if (removes(s->set)) {
		call->stmt = STMT_MEMBER_REMOVE;
		db_bind_id(p, namespace->group_id);
		db_bind_id(p, namespace->project_id);
		return;
	}
	call->stmt = namespace->group_id != 0 ? STMT_MEMBER_SET_GROUP : STMT_MEMBER_SET_PROJECT;
	db_bind_int(p, namespace->group_id != 0 ? namespace->group_id : namespace->project_id);
	db_bind_int(p, s->set->level);
	db_bind_time(p, expires_at);
}

static int
set_body(struct db *db, void *arg, struct err *err)
{
	struct setting *s = arg;
	bool removed = removes(s->set);
	struct audit_event event = { .action = removed ? AUDIT_MEMBER_REMOVE : AUDIT_MEMBER_SET,
		.project_id = s->namespace->project_id, .id_key = "user_id" };
	struct db_call call = { .stmt = STMT__MAX };
	struct found f = { 0 };
	int64_t expires_at;

	if (find(db, s, &f, err) == -1)
		return -1;
	expires_at = s->set->keeps_end ? f.expires_at : s->set->expires_at;
	if (check(s, &f, expires_at, err) == -1)
		return -1;
	change_call(&call, s, expires_at);
	/* the member may be the caller, who then leaves or has a lower role */
	if (s->user_id == s->actor->user_id && db_guard_first(db, err) == -1)
		return -1;
	if (db_run(db, s->arena, &call, 1, err) == -1)
		return -1;
	/* no row: it is just so already */
	if (call.result.rows == 0) {
		db_found_done(db);
		return 0;
	}
	event.id = s->user_id;
	event.facts[0] = (struct audit_fact) { "user", f.username, false };
	event.facts[1] = (struct audit_fact) { "path", s->namespace->full_path, false };
	if (!removed)
		event.facts[2] =
		    (struct audit_fact) { "level", member_level_name(s->set->level), false };
	if (expires_at != 0)
		event.facts[3] = audit_fact_time(s->arena, "expires_at", expires_at);
	return audit_add(db, s->arena, s->actor, &event, err);
}

int
namespace_member_set(struct db *db, struct arena *a, const struct audit_actor *actor,
    const struct member_namespace *namespace, const struct namespace_member_set *set, int64_t *user_id,
    struct err *err)
{
	struct setting s = { .arena = a, .actor = actor, .namespace = namespace, .set = set };
	bool unknown;

	if (db_transaction(db, set_body, &s, &unknown, err) == -1)
		return -1;
	*user_id = s.user_id;
	return 0;
}
