#include "store/user.h"

#include "access/naming.h"

int
user_add(struct db *db, struct arena *a, const struct audit_actor *actor, const struct user *u,
    int64_t *id, struct err *err)
{
	struct audit_event event = { .action = AUDIT_USER_CREATE, .id_key = "user_id",
		.facts = { { "user", u->username, false },
		    { "admin", u->admin ? "true" : "false", true } } };
	struct db_call call = { .stmt = STMT_USER_ADD };
	struct db_params *p = &call.params;

	if (naming_check_username(u->username, err) == -1 ||
	    naming_check_text("name", u->name, err) == -1 ||
	    naming_check_email(u->email, err) == -1)
		return -1;
	db_bind_str(p, u->username);
	db_bind_str(p, u->name);
	db_bind_str(p, u->email);
	db_bind_bool(p, u->admin);
	if (audit_change(db, a, actor, &call, &event, err) == -1)
		return -1;
	if (call.result.rows == 0)
		return err_set(err, 409, "user `%s` already exists", u->username);
	*id = event.id;
	return 0;
}

static int
no_user(const char *username, struct err *err)
{
	return err_set(err, 404, "user `%s` does not exist", username);
}

/* user_set_state and user_set return the same columns. */
static int
set(struct db *db, struct arena *a, const struct audit_actor *actor, struct db_call *call,
    struct audit_event *event, int64_t *id, struct err *err)
{
	enum { COLUMNS_USER_SET };
	const char *username = event->facts[0].value;

	if (audit_change(db, a, actor, call, event, err) == -1)
		return -1;
	if (call->result.rows == 0)
		return no_user(username, err);
	if (db_bool(&call->result, 0, IS_LAST))
		return err_set(err, 409, "user `%s` is the last administrator who is not blocked", username);
	*id = event->id;
	return 0;
}

int
user_set_blocked(struct db *db, struct arena *a, const struct audit_actor *actor,
    const char *username, bool blocked, bool force, int64_t *id, struct err *err)
{
	struct audit_event event = { .action = blocked ? AUDIT_USER_BLOCK : AUDIT_USER_UNBLOCK,
		.id_key = "user_id", .facts = { { "user", username, false } } };
	struct db_call call = { .stmt = STMT_USER_SET_STATE };

	if (naming_check_username(username, err) == -1)
		return -1;
	db_bind_str(&call.params, username);
	db_bind_str(&call.params, blocked ? "blocked" : "active");
	db_bind_bool(&call.params, !force);
	return set(db, a, actor, &call, &event, id, err);
}

int
user_set(struct db *db, struct arena *a, const struct audit_actor *actor, const char *username,
    const struct user_change *change, bool force, int64_t *id, struct err *err)
{
	const char *admin = change->admin == NULL ? NULL : *change->admin ? "true" : "false";
	struct audit_event event = { .action = AUDIT_USER_SET, .id_key = "user_id",
		.facts = { { "user", username, false }, { "name", change->name, false },
		    { "email", change->email, false }, { "admin", admin, true } } };
	struct db_call call = { .stmt = STMT_USER_SET };

	if (naming_check_username(username, err) == -1 ||
	    (change->name != NULL && naming_check_text("name", change->name, err) == -1) ||
	    (change->email != NULL && naming_check_email(change->email, err) == -1))
		return -1;
	db_bind_str(&call.params, username);
	db_bind_str(&call.params, change->name);
	db_bind_str(&call.params, change->email);
	if (change->admin == NULL)
		db_bind_null(&call.params);
	else
		db_bind_bool(&call.params, *change->admin);
	db_bind_bool(&call.params, !force);
	return set(db, a, actor, &call, &event, id, err);
}

static int
find(struct db *db, struct arena *a, const char *username, int64_t *id, bool *is_active, struct err *err)
{
	enum { COLUMNS_USER_FIND };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	db_bind_str(&p, username);
	if (naming_check_username(username, err) == -1 ||
	    db_exec(db, a, STMT_USER_FIND, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return no_user(username, err);
	*id = db_int(&r, 0, ID);
	*is_active = db_bool(&r, 0, IS_ACTIVE);
	return 0;
}

int
user_find(struct db *db, struct arena *a, const char *username, int64_t *id, struct err *err)
{
	bool is_active = false;

	return find(db, a, username, id, &is_active, err);
}

int
user_check_active(struct db *db, struct arena *a, const char *username, struct err *err)
{
	bool is_active = false;
	int64_t id;

	if (find(db, a, username, &id, &is_active, err) == -1)
		return -1;
	return is_active ? 0 : err_set(err, 409, "user `%s` is blocked: `berth user unblock %s` unblocks the user",
	    username, username);
}

static void
read_rows(const struct db_result *r, struct arena *a, struct user **out, size_t *n)
{
	enum { COLUMNS_USER_COLUMNS };

	*n = (size_t)r->rows;
	*out = arena_calloc(a, *n, sizeof(**out));
	for (int i = 0; i < r->rows; i++)
		(*out)[i] = (struct user) {
			.id = db_int(r, i, ID),
			.username = db_str(r, i, USERNAME),
			.name = db_str(r, i, NAME),
			.email = db_str(r, i, EMAIL),
			.admin = db_bool(r, i, IS_ADMIN),
			.state = db_str(r, i, STATE),
			.created_at = db_int(r, i, CREATED_AT),
		};
}

int
user_all(struct db *db, struct arena *a, struct user **out, size_t *n, struct err *err)
{
	struct db_result r;

	if (db_exec(db, a, STMT_USER_ALL, NULL, &r, err) == -1)
		return -1;
	read_rows(&r, a, out, n);
	return 0;
}

int
user_list(struct db *db, struct arena *a, struct err *err)
{
	return db_list(db, a, STMT_USER_LIST, NULL, err);
}

int
user_list_next(struct db *db, struct arena *a, struct user **out, size_t *n, struct err *err)
{
	struct db_result r;

	if (db_list_next(db, a, &r, err) == -1)
		return -1;
	read_rows(&r, a, out, n);
	return 0;
}
