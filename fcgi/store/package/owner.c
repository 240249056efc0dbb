#include "store/package/owner.h"

#include <strings.h>

#include "access/naming.h"
#include "base/buf.h"
#include "crate/crate_name.h"
#include "store/member.h"
#include "store/package/crate.h"

/* Ten names and what is said around them. */
enum { MESSAGE_MAX = 8192 };

int
owner_list(struct db *db, struct arena *a, int64_t project_id, const char *crate,
    struct owner **out, size_t *n, struct err *err)
{
	enum { COLUMNS_OWNER_LIST };
	struct db_params p = { 0 };
	struct db_result r = { 0 };

	*n = 0;
	db_bind_int(&p, project_id);
	db_bind_str(&p, crate_name_normalize(a, slice_str(crate)));
	if (db_exec(db, a, STMT_OWNER_LIST, &p, &r, err) == -1)
		return -1;
	if (r.rows == 0)
		return err_set(err, 404, "crate `%s` does not exist", crate);
	*out = arena_calloc(a, (size_t)r.rows, sizeof(**out));
	for (int i = 0; i < r.rows; i++) {
		if (db_is_null(&r, i, USER_ID))
			continue;
		(*out)[(*n)++] = (struct owner) {
			.user_id = db_int(&r, i, USER_ID),
			.username = db_str(&r, i, USERNAME),
			.name = db_str(&r, i, NAME),
			.email = db_str(&r, i, EMAIL),
			.level = db_int(&r, i, LEVEL),
		};
	}
	return 0;
}

/* What the transaction works on. */
struct change {
	struct arena *arena;
	const struct owner_change *asked;
	int64_t crate_id;
	const char *crate; /* as stored */
	struct buf message;
	bool again; /* the first time got no answer to its COMMIT */
};

/* One of the users who were named. */
struct named {
	int64_t user_id;
	const char *username;
	bool active;
	bool by_role;
	bool granted;
};

static int
read_named(const struct db_result *r, int row, struct named *who, struct err *err)
{
	enum { COLUMNS_OWNER_FIND };

	if (db_is_null(r, row, USER_ID))
		return err_set(err, 404, "user `%s` does not exist", db_str(r, row, NAMED));
	*who = (struct named) {
		.user_id = db_int(r, row, USER_ID),
		.username = db_str(r, row, USERNAME),
		.active = db_bool(r, row, ACTIVE),
		.by_role = db_int(r, row, LEVEL) >= MEMBER_MAINTAINER,
		.granted = db_bool(r, row, GRANTED),
	};
	return 0;
}

static void
say(struct change *c, const struct named *who, const char *what)
{
	buf_printf(&c->message, "%suser `%s` %s crate `%s`", c->message.n > 0 ? ", " : "",
	    who->username, what, c->crate);
}

/* The change for one user, and its audit row. */
static int
write_change(struct db *db, struct change *c, const struct named *who, struct err *err)
{
	const struct audit_event event = {
		.action = c->asked->add ? AUDIT_OWNER_ADD : AUDIT_OWNER_REMOVE,
		.project_id = c->asked->project_id,
		.crate = c->crate,
		.id_key = "user_id",
		.id = who->user_id,
		.facts = { { "user", who->username, false } },
	};
	struct db_call calls[] = {
		{ .stmt = c->asked->add ? STMT_OWNER_GRANT : STMT_OWNER_TAKE }, { 0 }
	};

	db_bind_int(&calls[0].params, c->crate_id);
	db_bind_int(&calls[0].params, who->user_id);
	audit_call(&calls[1], c->arena, &c->asked->actor, &event);
	return db_run(db, c->arena, calls, 2, err);
}

static int
add_one(struct db *db, struct change *c, const struct named *who, struct err *err)
{
	if (!who->active)
		return err_set(err, 400, "user `%s` is blocked", who->username);
	if (who->by_role || who->granted) {
		say(c, who, "is already an owner of");
		return 0;
	}
	say(c, who, "is now an owner of");
	return write_change(db, c, who, err);
}

static int
remove_one(struct db *db, struct change *c, const struct named *who, struct err *err)
{
	if (who->granted) {
		say(c, who,
		    who->by_role ? "remains, by their role, an owner of" : "is no longer an owner of");
		return write_change(db, c, who, err);
	}
	/* the first time would have said so: it has happened */
	if (c->again) {
		say(c, who, who->by_role ? "remains, by their role, an owner of"
					 : "is no longer an owner of");
		db_found_done(db);
		return 0;
	}
	if (who->by_role)
		return err_set(err, 400,
		    "user `%s` is an owner of crate `%s` by their role in the project; change that "
		    "role instead", who->username, c->crate);
	db_found_done(db);
	return err_set(err, 400, "user `%s` is not an owner of crate `%s`", who->username,
	    c->crate);
}

/* With the crate locked: somebody must be left. */
static int
check_left(struct db *db, struct change *c, struct err *err)
{
	struct owner *left;
	size_t n;

	if (owner_list(db, c->arena, c->asked->project_id, c->crate, &left, &n, err) == -1)
		return -1;
	return n > 0 ? 0 : err_set(err, 400, "cannot remove the last owner of crate `%s`", c->crate);
}

static int
change_body(struct db *db, void *arg, struct err *err)
{
	struct change *c = arg;
	const struct owner_change *asked = c->asked;
	struct db_call find = { .stmt = STMT_OWNER_FIND };

	buf_init(&c->message, c->arena, MESSAGE_MAX);
	if (crate_find_locked(db, c->arena, asked->project_id, asked->crate,
	        crate_name_normalize(c->arena, slice_str(asked->crate)), &c->crate_id, &c->crate,
	        err) == -1 ||
	    token_limits_check(&asked->limits, TOKEN_OWNERS, c->crate, err) == -1)
		return -1;
	db_bind_int(&find.params, c->crate_id);
	db_bind_array(&find.params, c->arena, asked->usernames, asked->n);
	if (db_run(db, c->arena, &find, 1, err) == -1)
		return -1;
	for (int i = 0; i < find.result.rows; i++) {
		struct named who = { 0 };

		if (read_named(&find.result, i, &who, err) == -1 ||
		    (asked->add ? add_one : remove_one)(db, c, &who, err) == -1)
			return -1;
	}
	return asked->add ? 0 : check_left(db, c, err);
}

/* Names, each of them once. */
static int
check_names(const struct owner_change *asked, struct err *err)
{
	if (asked->n == 0)
		return err_set(err, 400, "name at least one user");
	if (asked->n > OWNER_NAMES_MAX)
		return err_set(err, 400, "too many users for one request: at most %d",
		    OWNER_NAMES_MAX);
	for (size_t i = 0; i < asked->n; i++) {
		/* as the public registry names teams */
		if (strchr(asked->usernames[i], ':') != NULL)
			return err_set(err, 400, "`%s` is a team, and only users can own a crate here; give its members "
			    "a role in the project or a group above it", asked->usernames[i]);
		if (naming_check_username(asked->usernames[i], err) == -1)
			return -1;
		for (size_t k = 0; k < i; k++) {
			if (strcasecmp(asked->usernames[i], asked->usernames[k]) == 0)
				return err_set(err, 400, "user `%s` is named twice",
				    asked->usernames[i]);
		}
	}
	return 0;
}

int
owner_change(struct db *db, struct arena *a, const struct owner_change *asked,
    const char **message, struct err *err)
{
	struct change change = { .arena = a, .asked = asked };
	bool unknown;

	if (check_names(asked, err) == -1)
		return -1;
	while (db_transaction(db, change_body, &change, &unknown, err) == -1) {
		if (!unknown || change.again)
			return -1;
		change.again = true;
		err_clear(err);
	}
	*message = buf_str(&change.message);
	return 0;
}

void
owner_check_call(struct db_call *call, int64_t project_id, const char *normalized_name,
    int64_t user_id)
{
	call->stmt = STMT_OWNER_CHECK;
	db_bind_int(&call->params, project_id);
	db_bind_str(&call->params, normalized_name);
	db_bind_id(&call->params, user_id);
}

int
owner_refuse(struct err *err)
{
	return err_set(err, 403, "this needs at least the developer role in the project, or ownership of the "
	    "crate");
}

int
owner_check_judge(const struct db_call *call, struct err *err)
{
	enum { COLUMNS_OWNER_CHECK };

	return db_bool(&call->result, 0, IS_OWNER) ? 0 : owner_refuse(err);
}
