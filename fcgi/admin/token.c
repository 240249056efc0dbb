#include "store/token/token.h"

#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "access/token.h"
#include "access/token_words.h"
#include "admin/command.h"
#include "admin/number.h"
#include "admin/output.h"
#include "base/date.h"
#include "base/disk.h"
#include "config/settings.h"
#include "store/token/token_slot.h"
#include "store/user.h"

/* The forms of `token add`.  What all have comes first. */
enum { ADD_NAME, ADD_FIRST };
enum { ADD_USER = ADD_FIRST, ADD_SCOPES, ADD_EXPIRES, ADD_CRATES, ADD_OPERATIONS };
enum { DEPLOY_NAMESPACE = ADD_FIRST, DEPLOY_SCOPES, DEPLOY_EXPIRES };
enum {
	JOB_PROJECT = ADD_FIRST,
	JOB_JOB,
	JOB_USER,
	JOB_PIPELINE,
	JOB_TTL,
	JOB_REF,
	JOB_COMMIT,
	JOB_URL
};

static const struct option_def personal_options[] = {
	[ADD_NAME] = { "name", 0, "NAME", false },
	[ADD_USER] = { "user", 0, "NAME", true },
	[ADD_SCOPES] = { "scopes", 0, "api|read_api", true },
	[ADD_EXPIRES] = { "expires", 0, "DATE", false },
	[ADD_CRATES] = { "crates", 0, "PATTERN,...", false },
	[ADD_OPERATIONS] = { "operations", 0, "OPERATION,...", false },
};

static const struct option_def deploy_options[] = {
	[ADD_NAME] = { "name", 0, "NAME", false },
	[DEPLOY_NAMESPACE] = { "deploy", 0, "GROUP[/PROJECT]", true },
	[DEPLOY_SCOPES] = { "scopes", 0, "read_package_registry|write_package_registry|create_job_token",
	    true },
	[DEPLOY_EXPIRES] = { "expires", 0, "DATE", false },
};

static const struct option_def job_options[] = {
	[ADD_NAME] = { "name", 0, "NAME", false },
	[JOB_PROJECT] = { "job", 0, "GROUP/PROJECT", true },
	[JOB_JOB] = { "job", 0, "N", true },
	[JOB_USER] = { "user", 0, "NAME", true },
	[JOB_PIPELINE] = { "pipeline", 0, "N", true },
	[JOB_TTL] = { "ttl", 0, "SECONDS", true },
	[JOB_REF] = { "ref", 0, "REF", false },
	[JOB_COMMIT] = { "commit", 0, "SHA", false },
	[JOB_URL] = { "job-url", 0, "URL", false },
};

static const struct option_def list_options[] = { { "user", 0, "NAME", false } };

/* No job runs longer: 30 days. */
enum { TTL_MAX = 30 * 86400 };

/* A token that was made, for output_add(). */
struct added {
	struct token_new token;
	struct token made;
	int64_t id;
};

/* Reads the registry's id, and the keys for new tokens, if any. */
static int
read_keys(struct invocation *in, struct token_keys *keys)
{
	const char *path = in->settings != NULL ? in->settings->token_key : "";

	return token_slot_keys(in->db, in->arena, path, keys, &in->err);
}

static int
generate(struct invocation *in, enum token_kind kind, struct added *t)
{
	const char *name = in->options.values[ADD_NAME];
	struct token_keys keys;
	int rc;

	t->token.name = name != NULL ? name : "";
	if (read_keys(in, &keys) == -1)
		return -1;
	rc = token_generate(kind, &keys, &t->made, &in->err);
	token_keys_wipe(&keys);
	token_new_is(&t->token, &t->made);
	return rc;
}

static int
parse_expires(struct invocation *in, const char *text, struct token_new *t)
{
	return text == NULL ? 0 : date_parse_end(text, time(NULL), &t->expires_at, &in->err);
}

/* What not every token has. */
static struct cell
words_or_null(const char *words)
{
	return words != NULL ? cell_words(words) : cell_str(NULL);
}

static struct cell
number_or_null(int64_t n)
{
	return n != 0 ? cell_int(n) : cell_str(NULL);
}

static void
output_add(struct invocation *in, struct added *t)
{
	static const char *const keys[] = { "token", "id", "user", "namespace", "name", "scopes",
		"crates", "operations", "pipeline", "job", "expires_at" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	const struct token_new *n = &t->token;

	/* the only time that anybody sees it */
	output_id(&out, (struct cell[]) { cell_str(t->made.text), cell_int(t->id), cell_str(n->username),
	    cell_str(n->namespace), cell_str(n->name), cell_words(n->scopes), words_or_null(n->crates),
	    words_or_null(n->operations), number_or_null(n->job.pipeline),
	    number_or_null(n->job.job), cell_time(n->expires_at) });
	token_wipe(&t->made);
}

/* What is limited is what a token may change: one that only reads has nothing to limit. */
static int
parse_limits(struct invocation *in, struct token_new *t)
{
	const char *crates = in->options.values[ADD_CRATES];
	const char *operations = in->options.values[ADD_OPERATIONS];

	if (crates == NULL && operations == NULL)
		return 0;
	if (strcmp(t->scopes, "read_api") == 0)
		return err_set(&in->err, 400, "--crates and --operations need the scope api; this token has the scope "
		    "%s: leave these options out, or give --scopes api", t->scopes);
	if (crates != NULL && token_words_crates(in->arena, crates, &t->crates, &in->err) == -1)
		return -1;
	if (operations == NULL)
		return 0;
	return token_words_parse(in->arena, &token_words_operations, operations, &t->operations,
	    &in->err);
}

/* Refuses a user who is blocked: no request may use the token. */
static int
check_user(struct invocation *in, const char *username)
{
	return user_check_active(in->db, in->arena, username, &in->err);
}

static int
add_personal(struct invocation *in)
{
	const char *const *given = in->options.values;
	struct added t = { .token.username = given[ADD_USER] };

	if (token_words_parse(in->arena, &token_words_personal, given[ADD_SCOPES], &t.token.scopes,
	        &in->err) == -1 ||
	    parse_expires(in, given[ADD_EXPIRES], &t.token) == -1 ||
	    parse_limits(in, &t.token) == -1 ||
	    check_user(in, given[ADD_USER]) == -1 ||
	    generate(in, TOKEN_PERSONAL, &t) == -1 ||
	    token_add_personal(in->db, in->arena, &in->actor, &t.token, &t.id, &in->err) == -1)
		return -1;
	output_add(in, &t);
	return 0;
}

static int
add_deploy(struct invocation *in)
{
	const char *const *given = in->options.values;
	struct added t = { .token.namespace = given[DEPLOY_NAMESPACE] };

	if (token_words_parse(in->arena, &token_words_deploy, given[DEPLOY_SCOPES],
	        &t.token.scopes, &in->err) == -1 ||
	    parse_expires(in, given[DEPLOY_EXPIRES], &t.token) == -1 ||
	    generate(in, TOKEN_DEPLOY, &t) == -1 ||
	    token_add_deploy(in->db, in->arena, &in->actor, &t.token, &t.id, &in->err) == -1)
		return -1;
	output_add(in, &t);
	return 0;
}

static int
add_task(struct invocation *in)
{
	const char *const *given = in->options.values;
	/* --job is there twice; a path has a slash and a number has none, so any order will do */
	bool swapped = strchr(given[JOB_JOB], '/') != NULL;
	struct added t = { .token = {
		.username = given[JOB_USER],
		.namespace = given[swapped ? JOB_JOB : JOB_PROJECT],
		.scopes = "",
		.job.job_url = given[JOB_URL],
		.job.ref = given[JOB_REF],
		.job.commit = given[JOB_COMMIT],
	} };
	int64_t ttl;

	if (token_words_number("job", given[swapped ? JOB_PROJECT : JOB_JOB], INT64_MAX,
	        &t.token.job.job, &in->err) == -1 ||
	    token_words_number("pipeline", given[JOB_PIPELINE], INT64_MAX, &t.token.job.pipeline,
	        &in->err) == -1 ||
	    token_words_number("ttl", given[JOB_TTL], TTL_MAX, &ttl, &in->err) == -1 ||
	    check_user(in, given[JOB_USER]) == -1 ||
	    generate(in, TOKEN_JOB, &t) == -1 ||
	    token_add_job(in->db, in->arena, &in->actor, &t.token, ttl, &t.id,
	        &t.token.expires_at, &in->err) == -1)
		return -1;
	output_add(in, &t);
	return 0;
}

/* A token on the command line could be read by every process of the machine. */
static int
parse_id(const char *text, int64_t *id, struct err *err)
{
	if (slice_has_prefix(slice_str(text), "berth_"))
		return err_set(err, 400, "give the token on standard input, not as an argument");
	return number_parse(text, "id of a token", id, err);
}

/* One token and nothing else, but for white space at the end. */
static int
read_token(struct invocation *in, struct token *token)
{
	char text[256];
	struct token_keys keys;
	ssize_t n;
	bool good;

	if (read_keys(in, &keys) == -1)
		return -1;

	n = disk_read_all(STDIN_FILENO, text, sizeof(text));
	while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL && text[n - 1] != '\0')
		n--;
	good = n > 0 && token_parse(slice_of(text, (size_t)n), &keys, token);
	token_keys_wipe(&keys);
	OPENSSL_cleanse(text, sizeof(text));
	return good ? 0 : err_set(&in->err, 400, "standard input must hold one token");
}

static int
revoke_token(struct invocation *in)
{
	static const char *const keys[] = { "id", "revoked" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	struct token token = { .text = "" };
	int64_t id = 0;

	if (in->nargs > 0 ? parse_id(in->args[0], &id, &in->err) == -1 :
	                    read_token(in, &token) == -1)
		return -1;
	if (token_revoke(in->db, in->arena, &in->actor, id,
	        slice_of((const char *)token.digest, sizeof(token.digest)), &id, &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_int(id), cell_bool(true) });
	return 0;
}

static const char *const list_keys[] = { "id", "kind", "user", "namespace", "scopes", "crates",
	"operations", "slot", "created_at", "expires_at", "revoked_at", "last_used_at", "pipeline",
	"job", "job_url", "ref", "commit", "name" };

enum { NLIST = sizeof(list_keys) / sizeof(*list_keys) };

static int
next_tokens(void *arg, struct arena *page, struct cell **cells, size_t *n)
{
	struct invocation *in = arg;
	struct token_entry *tokens;

	if (token_list_next(in->db, page, &tokens, n, &in->err) == -1)
		return -1;
	*cells = arena_calloc(page, *n, NLIST * sizeof(**cells));
	for (size_t i = 0; i < *n; i++) {
		const struct token_entry *t = &tokens[i];
		const struct cell row[NLIST] = { cell_int(t->id), cell_str(t->kind),
			cell_str(t->username), cell_str(t->namespace), cell_words(t->scopes),
			words_or_null(t->crates), words_or_null(t->operations), cell_str(t->slot),
			cell_time(t->created_at), cell_time(t->expires_at),
			cell_time(t->revoked_at), cell_time(t->last_used_at),
			number_or_null(t->job.pipeline), number_or_null(t->job.job),
			cell_str(t->job.job_url), cell_str(t->job.ref), cell_str(t->job.commit),
			cell_str(t->name) };

		memcpy(&(*cells)[i * NLIST], row, sizeof(row));
	}
	return 0;
}

static int
list(struct invocation *in)
{
	const struct output out = { in->arena, in->json, list_keys, NLIST };
	const char *username = in->options.values[0];
	int64_t user = 0;

	if (username != NULL && user_find(in->db, in->arena, username, &user, &in->err) == -1)
		return -1;
	return token_list(in->db, in->arena, user, &in->err) == -1 ? -1 : output_list(&out, next_tokens, in);
}

static const struct command commands[] = {
	{ "add",
	    "--user NAME --scopes api|read_api[,...] [--crates PATTERN[,...]] "
	    "[--operations OPERATION[,...]] [--expires DATE] [--name NAME]",
	    "Creates a token of a user and prints it, this once.  DATE is YYYY-MM-DD: the\n"
	    "token ends when that day begins in UTC.  --crates limits it to crates: names, or\n"
	    "prefixes followed by `*`.  --operations limits it to some of publish-new,\n"
	    "publish-update, yank and owners.",
	    COMMAND_OPTIONS(personal_options), 0, 0, add_personal },
	{ "add --deploy",
	    "GROUP[/PROJECT] --scopes "
	    "read_package_registry|write_package_registry|create_job_token[,...] "
	    "[--expires DATE] [--name NAME]",
	    "Creates a token that belongs to no user.  Depending on its scopes, it reads\n"
	    "packages of the project or of all in the group, publishes and yanks there, or\n"
	    "creates tokens of jobs by the API.",
	    COMMAND_OPTIONS(deploy_options), 0, 0, add_deploy },
	{ "add --job",
	    "GROUP/PROJECT --user NAME --pipeline N --job N [--ref REF] [--commit SHA] "
	    "[--job-url URL] --ttl SECONDS [--name NAME]",
	    "Creates a token for a job that the user has started.  It has the rights of the user,\n"
	    "in that project and in those that allow it (berth project allow), until you revoke\n"
	    "it or SECONDS have passed.",
	    COMMAND_OPTIONS(job_options), 0, 0, add_task },
	{ "revoke", "[ID]",
	    "Revokes the token with that id, or the one on standard input, from the next\n"
	    "request on.",
	    NULL, 0, 0, 1, revoke_token },
	{ "list", "[--user NAME]", "Lists tokens, without their secrets.",
	    COMMAND_OPTIONS(list_options), 0, 0, list },
};

const struct noun admin_token = { "token", COMMAND_LIST(commands) };
