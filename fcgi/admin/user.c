#include "store/user.h"

#include <time.h>

#include <openssl/crypto.h>

#include "access/secret.h"
#include "access/token_words.h"
#include "admin/command.h"
#include "admin/output.h"
#include "admin/pins.h"
#include "base/clock.h"
#include "config/settings.h"
#include "store/token/session.h"

enum { ADD_EMAIL, ADD_NAME, ADD_ADMIN, ADD_IF_MISSING };

static const struct option_def add_options[] = {
	[ADD_EMAIL] = { "email", 0, "EMAIL", true },
	[ADD_NAME] = { "name", 0, "NAME", false },
	[ADD_ADMIN] = { "admin", 0, NULL, false },
	[ADD_IF_MISSING] = { "if-missing", 0, NULL, false },
};

static bool
is_true(const char *value)
{
	return value != NULL && strcmp(value, "true") == 0;
}

static void
print_user(const struct output *out, const struct provision_thing *u)
{
	const char *const *v = u->values;

	output_id(out, (struct cell[]) { cell_int(u->id), cell_str(u->names[0]), cell_str(v[USER_NAME]),
	    cell_str(v[USER_EMAIL]), cell_bool(is_true(v[USER_ADMIN])),
	    cell_str(is_true(v[USER_BLOCKED]) ? "blocked" : "active") });
}

static int
add(struct invocation *in)
{
	static const char *const keys[] = { "id", "username", "name", "email", "is_admin",
		"state" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	const char *const *given = in->options.values;
	const struct provision p = command_provision(in, false);
	struct provision_thing u = { .kind = PROVISION_USER, .names = { in->args[0] },
		.values = { [USER_EMAIL] = given[ADD_EMAIL], [USER_NAME] = given[ADD_NAME],
		    [USER_ADMIN] = given[ADD_ADMIN] != NULL ? "true" : NULL } };

	if (provision_add(&p, &u, given[ADD_IF_MISSING] != NULL, &in->err) == -1)
		return -1;
	print_user(&out, &u);
	return 0;
}

enum { FORCE };

static const struct option_def force_options[] = { [FORCE] = { "force", 0, NULL, false } };

/* Which value of the user the word sets; "admin" is true or false. */
static int
read_word(struct invocation *in, const char *word, struct provision_thing *user)
{
	struct provision_key key;
	size_t n = strcspn(word, "=");

	for (size_t i = USER_EMAIL; word[n] == '=' && i < USER_BLOCKED; i++) {
		const char *value = word + n + 1;

		key = provision_value_key(PROVISION_USER, i);
		if (!slice_is(slice_of(word, n), key.name))
			continue;
		if (i == USER_ADMIN && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return err_set(&in->err, 400, "admin must be true or false, not `%s`", value);
		user->values[i] = value;
		return 0;
	}
	return err_set(&in->err, 400, "`%s` must be KEY=VALUE; KEY is email, name or admin", word);
}

static int
set(struct invocation *in)
{
	static const char *const keys[] = { "id", "username", "name", "email", "is_admin", "state" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	const struct provision p = command_provision(in, in->options.values[FORCE] != NULL);
	struct provision_thing u = { .kind = PROVISION_USER, .names = { in->args[0] } }, now;
	bool found;

	for (size_t i = 1; i < in->nargs; i++) {
		if (read_word(in, in->args[i], &u) == -1)
			return -1;
	}
	if (provision_set_user(&p, &u, &in->err) == -1 || provision_find(&p, &u, &now, &found, &in->err) == -1)
		return -1;
	if (!found)
		return err_set(&in->err, 404, "user `%s` does not exist", in->args[0]);
	print_user(&out, &now);
	return 0;
}


static int
set_blocked(struct invocation *in, bool blocked)
{
	static const char *const keys[] = { "id", "username", "state" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	const struct provision p = command_provision(in, blocked && in->options.values[FORCE] != NULL);
	int64_t id;

	if (provision_block_user(&p, in->args[0], blocked, &id, &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_int(id), cell_str(in->args[0]),
	    cell_str(blocked ? "blocked" : "active") });
	return 0;
}

static int
block(struct invocation *in)
{
	return set_blocked(in, true);
}

static int
unblock(struct invocation *in)
{
	return set_blocked(in, false);
}

static const struct option_def link_options[] = { { "ttl", 0, "SECONDS", false } };

/* For people: standard output has only the two lines. */
static void
say_link(const struct invocation *in, const char *url, const char *code, int64_t seconds)
{
	char end[CLOCK_RFC3339_SIZE];

	clock_rfc3339(time(NULL) + seconds, end);
	printf("%s\n%s\n", url, code);
	output_note("`%s` opens that address and enters the code; it works once, until %s", in->args[0], end);
}

static int
make_link(struct invocation *in)
{
	static const char *const keys[] = { "url", "code", "id", "username", "seconds" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	const char *given = in->options.values[0];
	unsigned char digest[SECRET_DIGEST_SIZE];
	char code[SECRET_TEXT_SIZE];
	int64_t id, seconds = SESSION_LINK_SECONDS;
	const char *url;

	if (in->settings == NULL)
		return err_set(&in->err, 400,
		    "-c FILE is missing: external_url of the configuration is the address for the code");
	if ((given != NULL && token_words_number("ttl", given, SESSION_LINK_SECONDS_MAX, &seconds,
	         &in->err) == -1) ||
	    secret_generate(code, digest, &in->err) == -1 ||
	    session_link_add(in->db, in->arena, &in->actor, in->args[0],
	        slice_of((const char *)digest, sizeof(digest)), seconds, &id, &in->err) == -1)
		return -1;
	/* never put the code into the address: addresses end up in logs */
	url = arena_printf(in->arena, "%s/-/sign-in", in->settings->external_url);
	if (in->json)
		output_id(&out, (struct cell[]) { cell_str(url), cell_str(code), cell_int(id),
		    cell_str(in->args[0]), cell_int(seconds) });
	else
		say_link(in, url, code, seconds);
	OPENSSL_cleanse(code, sizeof(code));
	return 0;
}

static const char *const list_keys[] = { "id", "username", "state", "is_admin", "email", "created_at",
	"name" };

enum { NLIST = sizeof(list_keys) / sizeof(*list_keys) };

static int
next_users(void *arg, struct arena *page, struct cell **cells, size_t *n)
{
	struct invocation *in = arg;
	struct user *users;

	if (user_list_next(in->db, page, &users, n, &in->err) == -1)
		return -1;
	*cells = arena_calloc(page, *n, NLIST * sizeof(**cells));
	for (size_t i = 0; i < *n; i++) {
		const struct user *u = &users[i];
		const struct cell row[NLIST] = { cell_int(u->id), cell_str(u->username),
			cell_str(u->state), cell_bool(u->admin), cell_str(u->email),
			cell_time(u->created_at), cell_str(u->name) };

		memcpy(&(*cells)[i * NLIST], row, sizeof(row));
	}
	return 0;
}

static int
list(struct invocation *in)
{
	const struct output out = { in->arena, in->json, list_keys, NLIST };

	return user_list(in->db, in->arena, &in->err) == -1 ? -1 : output_list(&out, next_users, in);
}

static int
list_pins(struct invocation *in)
{
	return pins_list(in, GITLAB_PIN_USER);
}

static int
unpin(struct invocation *in)
{
	return pins_remove(in, GITLAB_PIN_USER);
}

static const struct command commands[] = {
	{ "add", "NAME --email EMAIL [--name NAME] [--admin] [--if-missing]",
	    "Creates a user and prints the id.  --admin: the user has all rights.\n" IF_MISSING,
	    COMMAND_OPTIONS(add_options), 1, 1, add },
	{ "set", "NAME KEY=VALUE ... [--force]",
	    "Changes email, name, or admin=true|false, and prints the id.  --force: also\n"
	    "takes the rights of the last administrator.",
	    COMMAND_OPTIONS(force_options), 2, COMMAND_ARGS_MAX, set },
	{ "block", "NAME [--force]",
	    "Refuses all tokens of the user, from the next request on.\n"
	    "--force: also blocks the last administrator who is not blocked.",
	    COMMAND_OPTIONS(force_options), 1, 1, block },
	{ "unblock", "NAME", "Unblocks the user.", NULL, 0, 1, 1, unblock },
	{ "link", "NAME [--ttl SECONDS]",
	    "Prints the address of a page and a code that signs the user in there.  The\n"
	    "code works once, within a quarter of an hour or the given seconds.",
	    COMMAND_OPTIONS(link_options), 1, 1, make_link },
	{ "pins", "",
	    "Lists the GitLab user to whom each user is pinned, by the id in GitLab.", NULL, 0, 0,
	    0, list_pins },
	{ "unpin", "NAME",
	    "Removes the pin: the next job of a GitLab user with that name creates a new pin.",
	    NULL, 0, 1, 1, unpin },
	{ "list", "", "Lists all users.", NULL, 0, 0, 0, list },
};

const struct noun admin_user = { "user", COMMAND_LIST(commands) };
