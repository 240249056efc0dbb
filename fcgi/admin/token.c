#include "store/token.h"

#include <unistd.h>

#include <openssl/crypto.h>

#include "access/token.h"
#include "admin/command.h"
#include "admin/date.h"
#include "admin/number.h"
#include "admin/output.h"
#include "store/user.h"

enum { ADD_USER, ADD_SCOPES, ADD_EXPIRES, ADD_NAME };

static const struct option_def add_options[] = {
	[ADD_USER] = { "user", 0, "NAME", true },
	[ADD_SCOPES] = { "scopes", 0, "api|read_api", true },
	[ADD_EXPIRES] = { "expires", 0, "DATE", false },
	[ADD_NAME] = { "name", 0, "NAME", false },
};

static const struct option_def list_options[] = { { "user", 0, "NAME", false } };

/* What a user's own token may be for. */
static const char *const scopes[] = { "api", "read_api" };

enum { NSCOPES = sizeof(scopes) / sizeof(*scopes) };

/* Comma-separated, each at most once, into `out` in the order of the table. */
static int
parse_scopes(const char *text, const char *out[NSCOPES], size_t *n, struct err *err)
{
	bool given[NSCOPES] = { false };

	for (;;) {
		size_t len = strcspn(text, ","), k = 0;

		while (k < NSCOPES && !slice_is(slice_of(text, len), scopes[k]))
			k++;
		if (k == NSCOPES)
			return err_set(err, 400,
			    "there is no scope `%.*s`; a user's token has api or read_api",
			    (int)len, text);
		given[k] = true;
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	*n = 0;
	for (size_t k = 0; k < NSCOPES; k++) {
		if (given[k])
			out[(*n)++] = scopes[k];
	}
	return 0;
}

static const char *
join(struct arena *a, const char *const *words, size_t n)
{
	const char *text = words[0];

	for (size_t i = 1; i < n; i++)
		text = arena_printf(a, "%s,%s", text, words[i]);
	return text;
}

static int
add(struct invocation *in)
{
	static const char *const keys[] = { "token", "id", "user", "name", "scopes", "expires_at" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	const char *const *given = in->options.values;
	unsigned char digest[TOKEN_DIGEST_SIZE];
	const char *words[NSCOPES];
	char text[TOKEN_TEXT_SIZE];
	struct token_new t = {
		.username = given[ADD_USER],
		.digest = slice_of((const char *)digest, sizeof(digest)),
		.name = given[ADD_NAME] != NULL ? given[ADD_NAME] : "",
		.scopes = words,
	};
	int64_t id;

	if (parse_scopes(given[ADD_SCOPES], words, &t.nscopes, &in->err) == -1 ||
	    (given[ADD_EXPIRES] != NULL &&
	        date_parse(given[ADD_EXPIRES], &t.expires_at, &in->err) == -1) ||
	    token_generate(TOKEN_PERSONAL, text, digest, &in->err) == -1 ||
	    token_add_personal(in->db, in->arena, &in->actor, &t, &id, &in->err) == -1)
		return -1;
	/* the only time that anybody sees it */
	output_id(&out, (struct cell[]) { cell_str(text), cell_int(id), cell_str(t.username),
	    cell_str(t.name), cell_words(join(in->arena, words, t.nscopes)),
	    cell_time(t.expires_at) });
	OPENSSL_cleanse(text, sizeof(text));
	return 0;
}

/* A token on the command line could be read by every process of the machine. */
static int
parse_id(const char *text, int64_t *id, struct err *err)
{
	if (slice_has_prefix(slice_str(text), "berth_"))
		return err_set(err, 400, "give a token on standard input, not as an argument");
	return number_parse(text, "id of a token", id, err);
}

/* One token and nothing else, but for white space at the end. */
static int
read_digest(unsigned char digest[TOKEN_DIGEST_SIZE], struct err *err)
{
	char text[256];
	size_t n = 0;
	ssize_t got;
	enum token_kind kind;
	bool good;

	while (n < sizeof(text) && (got = read(STDIN_FILENO, text + n, sizeof(text) - n)) > 0)
		n += (size_t)got;
	while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL && text[n - 1] != '\0')
		n--;
	good = token_parse(slice_of(text, n), &kind, digest);
	OPENSSL_cleanse(text, sizeof(text));
	return good ? 0 : err_set(err, 400, "standard input holds no token");
}

static int
revoke_token(struct invocation *in)
{
	static const char *const keys[] = { "id", "revoked" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	unsigned char digest[TOKEN_DIGEST_SIZE] = { 0 };
	int64_t id = 0;

	if (in->nargs > 0 ? parse_id(in->args[0], &id, &in->err) == -1 :
	                    read_digest(digest, &in->err) == -1)
		return -1;
	if (token_revoke(in->db, in->arena, &in->actor, id, slice_of((const char *)digest, sizeof(digest)), &id,
	        &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_int(id), cell_bool(true) });
	return 0;
}

static int
list(struct invocation *in)
{
	static const char *const keys[] = { "id", "kind", "user", "scopes", "created_at",
		"expires_at", "revoked_at", "last_used_at", "name" };
	enum { NKEYS = sizeof(keys) / sizeof(*keys) };
	struct output out = { in->arena, in->json, keys, NKEYS };
	const char *username = in->options.values[0];
	struct token_entry *tokens;
	struct cell *cells;
	int64_t user = 0;
	size_t n;

	if (username != NULL && user_find(in->db, in->arena, username, &user, &in->err) == -1)
		return -1;
	if (token_list(in->db, in->arena, user, &tokens, &n, &in->err) == -1)
		return -1;
	cells = arena_calloc(in->arena, n, NKEYS * sizeof(*cells));
	for (size_t i = 0; i < n; i++) {
		const struct token_entry *t = &tokens[i];
		struct cell row[NKEYS] = { cell_int(t->id), cell_str(t->kind),
			cell_str(t->username), cell_words(t->scopes), cell_time(t->created_at),
			cell_time(t->expires_at), cell_time(t->revoked_at),
			cell_time(t->last_used_at), cell_str(t->name) };

		memcpy(&cells[i * NKEYS], row, sizeof(row));
	}
	output_table(&out, cells, n);
	return 0;
}

static const struct command commands[] = {
	{ "add", "--user NAME --scopes api|read_api[,...] [--expires DATE] [--name NAME]",
	    "Makes a token of a user and prints it, this once.  DATE is YYYY-MM-DD:\n"
	    "the token ends when that day begins in UTC.",
	    COMMAND_OPTIONS(add_options), 0, 0, add },
	{ "revoke", "[ID]",
	    "Revokes the token with that id, or the one on standard input, from the next\n"
	    "request on.",
	    NULL, 0, 0, 1, revoke_token },
	{ "list", "[--user NAME]", "Lists tokens, without their secrets.",
	    COMMAND_OPTIONS(list_options), 0, 0, list },
};

const struct noun admin_token = { "token", COMMAND_LIST(commands) };
