#include "admin/upkeep/lost_tokens.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/json.h"
#include "store/token/token.h"
#include "store/user.h"

enum { LINE_MAX_SIZE = 1 << 20, JSON_MAX = 1 << 28 };

/* Ids in the order in which they come; there are as many as lines at most. */
struct ids {
	int64_t *v;
	size_t n, room;
};

static void
add_id(struct arena *a, struct ids *ids, int64_t id)
{
	if (ids->n == ids->room) {
		size_t room = ids->room == 0 ? 256 : 2 * ids->room;
		int64_t *v = arena_calloc(a, room, sizeof(*v));

		if (ids->n > 0)
			memcpy(v, ids->v, ids->n * sizeof(*v));
		ids->v = v;
		ids->room = room;
	}
	ids->v[ids->n++] = id;
}

static int
compare_ids(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Of ids in their order. */
static bool
has_id(const int64_t *v, size_t n, int64_t id)
{
	return n > 0 && bsearch(&id, v, n, sizeof(*v), compare_ids) != NULL;
}

/* A user who was blocked, and let in again, is not. */
static void
drop_id(struct ids *ids, int64_t id)
{
	size_t n = 0;

	for (size_t i = 0; i < ids->n; i++) {
		if (ids->v[i] != id)
			ids->v[n++] = ids->v[i];
	}
	ids->n = n;
}

/* What an action says of tokens, and by which member of `detail`. */
static const struct {
	const char *action, *member;
	enum { TOKEN_ENDS, USER_BLOCKED, USER_UNBLOCKED } means;
} actions[] = {
	{ "token.revoke", "token_id", TOKEN_ENDS },
	{ "token.rotate", "in_place_of", TOKEN_ENDS },
	{ "token.reuse", "token_id", TOKEN_ENDS },
	{ "user.block", "user_id", USER_BLOCKED },
	{ "user.unblock", "user_id", USER_UNBLOCKED },
};

static int
take_line(struct arena *a, struct arena *piece, struct slice line, const char *what, struct ids *ended,
    struct ids *blocked, struct err *err)
{
	struct json_object *object, *detail = NULL;
	struct json_get in = { .what = what, .err = err };
	const char *action;
	int64_t id = 0;

	if (json_parse(piece, line, what, &object, err) == -1)
		return -1;
	in.obj = object;
	if (json_get_str(&in, "action", true, &action) == -1 ||
	    json_get_object(&in, "detail", true, &detail) == -1)
		return -1;
	in.obj = detail;
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (strcmp(action, actions[i].action) != 0)
			continue;
		if (json_get_int(&in, actions[i].member, true, &id) == -1)
			return -1;
		if (actions[i].means == TOKEN_ENDS)
			add_id(a, ended, id);
		else if (actions[i].means == USER_BLOCKED)
			add_id(a, blocked, id);
		else
			drop_id(blocked, id);
	}
	return 0;
}

static int
read_export(struct arena *a, const char *path, struct lost_tokens *lost, struct err *err)
{
	FILE *f = fopen(path, "re");
	struct arena *piece = arena_new();
	char *line = arena_alloc(a, LINE_MAX_SIZE);
	struct ids ended = { .n = 0 }, blocked = { .n = 0 };
	int rc = f == NULL ? err_sys(err, "cannot read %s", path) : 0;

	for (int number = 1; rc == 0 && fgets(line, LINE_MAX_SIZE, f) != NULL; number++) {
		size_t n = strcspn(line, "\n");

		if (n > 0)
			rc = take_line(a, piece, slice_of(line, n),
			    arena_printf(piece, "%s:%d", path, number), &ended, &blocked, err);
		arena_reset(piece);
	}
	if (rc == 0 && ferror(f))
		rc = err_sys(err, "read %s", path);
	if (f != NULL)
		fclose(f);
	arena_free(piece);
	if (ended.n > 0)
		qsort(ended.v, ended.n, sizeof(*ended.v), compare_ids);
	lost->ended = ended.v;
	lost->nended = ended.n;
	lost->blocked = blocked.v;
	lost->nblocked = blocked.n;
	return rc;
}

int
lost_tokens_options(struct arena *a, const char *audit, bool revoke, bool revoke_all,
    struct lost_tokens *lost, struct err *err)
{
	if (revoke && audit == NULL)
		return err_set(err, 400, "--revoke needs --audit FILE");
	lost->all = revoke_all;
	lost->revoke = revoke || revoke_all;
	return audit == NULL ? 0 : read_export(a, audit, lost, err);
}

/* Tokens know their users by name: those who were blocked, and are not now.  Ends with NULL. */
static int
find_blocked(
    struct db *db, struct arena *a, const struct lost_tokens *lost, const char ***names, struct err *err)
{
	struct user *users;
	size_t n, found = 0;

	if (user_list(db, a, &users, &n, err) == -1)
		return -1;
	*names = arena_calloc(a, lost->nblocked + 1, sizeof(**names));
	for (size_t i = 0; i < n && found < lost->nblocked; i++) {
		bool blocked = false;

		for (size_t k = 0; k < lost->nblocked && !blocked; k++)
			blocked = lost->blocked[k] == users[i].id && strcmp(users[i].state, "active") == 0;
		if (blocked)
			(*names)[found++] = users[i].username;
	}
	return 0;
}

static bool
is_lost(const struct lost_tokens *lost, const struct token_entry *t, const char *const *blocked)
{
	if (t->revoked_at != 0 || (t->expires_at != 0 && t->expires_at <= (int64_t)time(NULL)))
		return false;
	if (lost->all || has_id(lost->ended, lost->nended, t->id))
		return true;
	for (; t->username != NULL && *blocked != NULL; blocked++) {
		if (strcmp(t->username, *blocked) == 0)
			return true;
	}
	return false;
}

int
lost_tokens_end(struct db *db, struct arena *a, const struct audit_actor *actor, struct lost_tokens *lost,
    struct err *err)
{
	struct token_entry *all;
	const char **blocked;
	int64_t found;
	size_t n;

	if (!lost->all && lost->nended == 0 && lost->nblocked == 0)
		return 0;
	if (token_list(db, a, 0, &all, &n, err) == -1 || find_blocked(db, a, lost, &blocked, err) == -1)
		return -1;
	lost->tokens = arena_calloc(a, n, sizeof(*lost->tokens));
	for (size_t i = 0; i < n; i++) {
		if (is_lost(lost, &all[i], blocked))
			lost->tokens[lost->n++] = all[i];
	}
	for (size_t i = 0; lost->revoke && i < lost->n; i++) {
		if (token_revoke(db, a, actor, lost->tokens[i].id, slice_of("", 0), &found, err) == -1)
			return -1;
	}
	return 0;
}

void
lost_tokens_print(const struct lost_tokens *lost)
{
	for (size_t i = 0; i < lost->n; i++) {
		const struct token_entry *t = &lost->tokens[i];

		printf("token %lld (%s, %s): %s\n", (long long)t->id, t->kind,
		    t->username != NULL    ? t->username
		    : t->namespace != NULL ? t->namespace
					   : "-",
		    lost->revoke ? "revoked" : "valid again");
	}
}

const char *
lost_tokens_json(struct arena *a, const struct lost_tokens *lost)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, a, JSON_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '[');
	for (size_t i = 0; i < lost->n; i++) {
		json_out_open(&o, '{');
		json_out_key_int(&o, "id", lost->tokens[i].id);
		json_out_key_str(&o, "kind", lost->tokens[i].kind);
		json_out_key_str(&o, "user", lost->tokens[i].username);
		json_out_key_str(&o, "namespace", lost->tokens[i].namespace);
		json_out_close(&o, '}');
	}
	json_out_close(&o, ']');
	return buf_str(&b);
}
