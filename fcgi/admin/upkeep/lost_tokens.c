#include "admin/upkeep/lost_tokens.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/json.h"
#include "store/token/token.h"
#include "store/user.h"

enum { LINE_MAX_SIZE = 1 << 20, JSON_MAX = 1 << 28 };

/* The times of the export and of the database are rounded. */
enum { SAME_S = 1 };

/* What happens to a token or a user. */
enum what { MADE, ENDS, COMES_BACK };

struct event {
	int64_t id, at; /* at: seconds since 1970 */
	size_t number; /* in the export */
	enum what what;
};

/* Events in the order of the export. */
struct events {
	struct event *v;
	size_t n, room;
};

/* What is read from an export. */
struct export {
	struct events tokens, users;
	int64_t first_at;
};

/* A token that has ended, or a user who was blocked. */
struct lost_id {
	int64_t id, made, ended; /* made: 0 where the export does not say */
};

static void
add_event(struct arena *a, struct events *events, struct event event)
{
	events->v = arena_grow(a, events->v, events->n, &events->room, sizeof(*events->v));
	event.number = events->n;
	events->v[events->n++] = event;
}

static int
compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* Leaves out users who were let in again.  The events may come in any order, since exports can be joined. */
static struct lost_id *
find_ended(struct arena *a, const struct events *events, size_t *n)
{
	struct lost_id *ended = arena_calloc(a, events->n + 1, sizeof(*ended));
	int64_t made = 0;
	size_t first = 0;

	*n = 0;
	if (events->n > 0)
		qsort(events->v, events->n, sizeof(*events->v), compare_events);
	for (size_t i = 0; i < events->n; i++) {
		const struct event *e = &events->v[i];

		if (i == 0 || e->id != events->v[i - 1].id) {
			made = 0;
			first = *n;
		}
		if (e->what == MADE)
			made = e->at;
		else if (e->what == ENDS)
			ended[(*n)++] = (struct lost_id) { e->id, made, e->at };
		else
			*n = first;
	}
	return ended;
}

static int
compare_ids(const void *a, const void *b)
{
	const struct lost_id *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Does the list have the token or user of the database that has this id and was made at that time? */
static bool
has_ended(const struct lost_id *v, size_t n, int64_t id, int64_t made)
{
	const struct lost_id key = { .id = id };
	const struct lost_id *found = n == 0 ? NULL : bsearch(&key, v, n, sizeof(*v), compare_ids);

	if (found == NULL)
		return false;
	while (found > v && found[-1].id == id)
		found--;
	for (; found < v + n && found->id == id; found++) {
		if (made <= found->ended + SAME_S &&
		    (found->made == 0 || (made >= found->made - SAME_S && made <= found->made + SAME_S)))
			return true;
	}
	return false;
}

/* What each action means for a token or user, and which member of `detail` has the id. */
static const struct {
	const char *action, *member;
	bool user;
	enum what what;
} actions[] = {
	{ "token.create", "token_id", false, MADE },
	{ "token.revoke", "token_id", false, ENDS },
	{ "token.rotate", "token_id", false, MADE },
	{ "token.rotate", "in_place_of", false, ENDS },
	{ "token.reuse", "token_id", false, ENDS },
	{ "user.create", "user_id", true, MADE },
	{ "user.block", "user_id", true, ENDS },
	{ "user.unblock", "user_id", true, COMES_BACK },
};

/* "2026-11-29T10:00:00.123456Z", without its fraction. */
static int
parse_time(struct arena *a, const char *text, int64_t *at, struct err *err)
{
	size_t n = strcspn(text, ".");

	return date_parse(text[n] == '.' ? arena_printf(a, "%.*sZ", (int)n, text) : text, at, err);
}

static int
take_line(struct arena *a, struct arena *piece, struct slice line, const char *what, struct export *export,
    struct err *err)
{
	struct json_object *object, *detail = NULL;
	struct json_get in = { .what = what, .err = err };
	struct event event = { .id = 0 };
	const char *action, *at;

	if (json_parse(piece, line, what, &object, err) == -1)
		return -1;
	in.obj = object;
	if (json_get_str(&in, "action", true, &action) == -1 || json_get_str(&in, "at", true, &at) == -1 ||
	    parse_time(piece, at, &event.at, err) == -1 || json_get_object(&in, "detail", true, &detail) == -1)
		return -1;
	in.obj = detail;
	if (event.at < export->first_at)
		export->first_at = event.at;
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (strcmp(action, actions[i].action) != 0)
			continue;
		if (json_get_int(&in, actions[i].member, true, &event.id) == -1)
			return -1;
		event.what = actions[i].what;
		add_event(a, actions[i].user ? &export->users : &export->tokens, event);
	}
	return 0;
}

static int
read_export(struct arena *a, const char *path, struct lost_tokens *lost, struct err *err)
{
	FILE *f = fopen(path, "re");
	struct arena *piece = arena_new();
	char *line = arena_alloc(a, LINE_MAX_SIZE);
	struct export export = { .first_at = INT64_MAX };
	int rc = f == NULL ? err_sys(err, "cannot read %s", path) : 0;

	for (int number = 1; rc == 0 && fgets(line, LINE_MAX_SIZE, f) != NULL; number++) {
		size_t n = strcspn(line, "\n");

		if (n > 0)
			rc = take_line(a, piece, slice_of(line, n),
			    arena_printf(piece, "%s:%d", path, number), &export, err);
		arena_reset(piece);
	}
	if (rc == 0 && ferror(f))
		rc = err_sys(err, "read %s", path);
	if (f != NULL)
		fclose(f);
	arena_free(piece);
	lost->export = path;
	lost->first_at = export.first_at;
	lost->ended = find_ended(a, &export.tokens, &lost->nended);
	lost->blocked = find_ended(a, &export.users, &lost->nblocked);
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

int
lost_tokens_check_export(struct arena *a, struct lost_tokens *lost, const char *moment, struct err *err)
{
	const char *where;
	int64_t at;

	if (lost->export == NULL || lost->all)
		return 0;
	if (parse_time(a, moment, &at, err) == -1)
		return -1;
	if (lost->first_at <= at)
		return 0;
	where = lost->first_at == INT64_MAX ? "has no events" : "begins later";
	lost->incomplete = true;
	if (lost->revoke)
		return err_set(err, 409,
		    "the database is restored to %s, and %s %s, so tokens may be missing in it: use the whole log, as "
		    "`berth audit --json` prints it, or put an earlier export before this one, or use --revoke-all",
		    moment, lost->export, where);
	fprintf(stderr,
	    "berth: warning: the database is restored to %s, and %s %s, so tokens may be missing in it\n", moment,
	    lost->export, where);
	return 0;
}

/* Tokens know their users by name: those who were blocked, and are not now.  Ends with NULL. */
static int
find_blocked(
    struct db *db, struct arena *a, const struct lost_tokens *lost, const char ***names, struct err *err)
{
	struct user *users;
	size_t n, found = 0;

	if (user_all(db, a, &users, &n, err) == -1)
		return -1;
	*names = arena_calloc(a, lost->nblocked + 1, sizeof(**names));
	for (size_t i = 0; i < n && found < lost->nblocked; i++) {
		if (strcmp(users[i].state, "active") == 0 &&
		    has_ended(lost->blocked, lost->nblocked, users[i].id, users[i].created_at))
			(*names)[found++] = users[i].username;
	}
	return 0;
}

static bool
is_lost(const struct lost_tokens *lost, const struct token_entry *t, const char *const *blocked)
{
	if (t->revoked_at != 0 || (t->expires_at != 0 && t->expires_at <= (int64_t)time(NULL)))
		return false;
	if (lost->all || has_ended(lost->ended, lost->nended, t->id, t->created_at))
		return true;
	for (; t->username != NULL && *blocked != NULL; blocked++) {
		if (strcmp(t->username, *blocked) == 0)
			return true;
	}
	return false;
}

static int
find_tokens(struct db *db, struct arena *a, struct lost_tokens *lost, struct err *err)
{
	struct token_entry *tokens;
	const char **blocked;
	size_t n, room = 0;

	if (find_blocked(db, a, lost, &blocked, err) == -1 || token_list(db, a, 0, err) == -1)
		return -1;
	do {
		if (token_list_next(db, a, &tokens, &n, err) == -1)
			return -1;
		for (size_t i = 0; i < n; i++) {
			if (!is_lost(lost, &tokens[i], blocked))
				continue;
			lost->tokens = arena_grow(a, lost->tokens, lost->n, &room, sizeof(*lost->tokens));
			lost->tokens[lost->n++] = tokens[i];
		}
	} while (n > 0);
	return 0;
}

int
lost_tokens_end(struct db *db, struct arena *a, const struct audit_actor *actor, struct lost_tokens *lost,
    struct err *err)
{
	int64_t found;

	if (!lost->all && lost->nended == 0 && lost->nblocked == 0)
		return 0;
	if (find_tokens(db, a, lost, err) == -1)
		return -1;
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
