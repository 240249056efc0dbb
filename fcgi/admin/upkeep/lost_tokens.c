#include "admin/upkeep/lost_tokens.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/upkeep/audit_export.h"
#include "base/buf.h"
#include "base/json.h"
#include "store/token/token.h"
#include "store/user.h"

enum { LINE_MAX_SIZE = 1 << 20, JSON_MAX = 1 << 28 };

/* A line is as long as getline() says: it may hold NUL characters, as parts of a file that were lost do. */
static int
take_lines(struct arena *a, struct arena *piece, FILE *f, const char *path, struct audit_export *export,
    struct err *err)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t got;
	int rc = 0;

	for (int number = 1; rc == 0 && (got = getline(&line, &room, f)) != -1; number++) {
		struct slice text = slice_of(line, (size_t)got - (line[got - 1] == '\n'));

		if (text.n > LINE_MAX_SIZE)
			rc = err_set(err, 400, "%s:%d: the line is longer than %d bytes", path, number, LINE_MAX_SIZE);
		else if (text.n > 0)
			rc = audit_export_take(export, a, piece, text, arena_printf(piece, "%s:%d", path, number),
			    err);
		arena_reset(piece);
	}
	if (rc == 0 && !feof(f))
		rc = err_sys(err, "read %s", path);
	free(line);
	return rc;
}

static int
read_export(struct arena *a, const char *path, struct lost_tokens *lost, struct err *err)
{
	FILE *f = fopen(path, "re");
	struct arena *piece = arena_new();
	struct audit_export export = { .first_at = INT64_MAX };
	int rc = f == NULL ? err_sys(err, "cannot read %s", path) : take_lines(a, piece, f, path, &export, err);

	if (f != NULL)
		fclose(f);
	arena_free(piece);
	lost->export = path;
	lost->first_at = export.first_at;
	lost->ended = audit_export_ended(a, &export.tokens, &lost->nended);
	lost->blocked = audit_export_ended(a, &export.users, &lost->nblocked);
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
	if (audit_export_time(a, moment, &at, err) == -1)
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
		    audit_export_has_ended(lost->blocked, lost->nblocked, users[i].id, users[i].created_at))
			(*names)[found++] = users[i].username;
	}
	return 0;
}

static bool
is_lost(const struct lost_tokens *lost, const struct token_entry *t, const char *const *blocked)
{
	if (t->revoked_at != 0 || (t->expires_at != 0 && t->expires_at <= (int64_t)time(NULL)))
		return false;
	if (lost->all || audit_export_has_ended(lost->ended, lost->nended, t->id, t->created_at))
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
