/* berth(1): what an administrator does to a registry. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/command.h"
#include "admin/number.h"
#include "admin/operator.h"
#include "admin/output.h"
#include "base/clock.h"
#include "base/daemon.h"
#include "base/words.h"
#include "cache/cache_barrier.h"
#include "config/program.h"
#include "config/settings.h"
#include "store/blob/blob_store.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_UNACKNOWLEDGED = 3 };

static const struct noun *const nouns[] = {
	&admin_config,
	&admin_migrate,
	&admin_check,
	&admin_backup,
	&admin_restore,
	&admin_apply,
	&admin_user,
	&admin_group,
	&admin_project,
	&admin_key,
	&admin_member,
	&admin_token,
	&admin_owner,
	&admin_protect,
	&admin_issuer,
	&admin_trust,
	&admin_yank,
	&admin_unyank,
	&admin_flag,
	&admin_delete,
	&admin_undelete,
	&admin_retention,
	&admin_fsck,
	&admin_store,
	&admin_node,
	&admin_import,
	&admin_export,
	&admin_audit,
	&admin_tasks,
	&admin_report,
	NULL,
};

/* Where there is no configuration to say how long the database may take. */
enum { DEFAULT_TIMEOUT_MS = 10000 };

enum {
	WAIT_S = 30, /* longer than any lease */
	WAIT_MAX_S = 86400
};

enum { COMMON_CONFIG, COMMON_DATABASE, COMMON_HELP, COMMON_JSON, COMMON_VERSION, COMMON_WAIT };

static const struct option_def common_defs[] = {
	[COMMON_CONFIG] = { "config", 'c', "FILE", false },
	[COMMON_DATABASE] = { "database", 0, "CONNINFO", false },
	[COMMON_HELP] = { "help", 'h', NULL, false },
	[COMMON_JSON] = { "json", 0, NULL, false },
	[COMMON_VERSION] = { "version", 'V', NULL, false },
	[COMMON_WAIT] = { "wait", 0, "SECONDS", false },
};

static void
print_usage(FILE *to, const struct noun *noun, const struct command *c)
{
	fprintf(to, "berth %s%s%s%s%s\n", noun->name, c->verb != NULL ? " " : "",
	    c->verb != NULL ? c->verb : "", c->synopsis[0] != '\0' ? " " : "", c->synopsis);
}

/* All commands of one noun, or, without one, of all. */
static void
print_usages(FILE *to, const struct noun *only)
{
	fputs("usage: berth [-c FILE] [--database CONNINFO] [--json] [--wait SECONDS] COMMAND ...\n"
	      "COMMAND is one of:\n", to);
	for (size_t i = 0; nouns[i] != NULL; i++) {
		const struct noun *noun = nouns[i];

		for (size_t k = 0; (only == NULL || only == noun) && k < noun->ncommands; k++) {
			fputs("    ", to);
			print_usage(to, noun, &noun->commands[k]);
		}
	}
	fprintf(to, "What a command does: berth %s%sCOMMAND --help; or the manual, berth(1).\n",
	    only != NULL ? only->name : "", only != NULL ? " " : "");
}

/* The verb without the option that its form may have. */
static struct slice
verb_word(const struct command *c)
{
	return slice_of(c->verb, strcspn(c->verb, " "));
}

/* All forms of the command. */
static void
print_help(const struct noun *noun, const struct command *command)
{
	for (size_t i = 0; i < noun->ncommands; i++) {
		const struct command *c = &noun->commands[i];

		if (c != command && (c->verb == NULL || command->verb == NULL ||
		    !slice_equal(verb_word(c), verb_word(command))))
			continue;
		fputs("usage: ", stdout);
		print_usage(stdout, noun, c);
		printf("\n%s\n\n", c->about);
	}
	puts("Options of all commands: -c FILE (the configuration; default $BERTH_CONF, else\n"
	     SETTINGS_DEFAULT_PATH "), --database CONNINFO (instead of its `database`),\n"
	     "--json, --wait SECONDS (30: for hosts that serve files from cache_dir), --help, --version.");
}

static const struct noun *
find_noun(const char *name)
{
	for (size_t i = 0; nouns[i] != NULL; i++) {
		if (strcmp(nouns[i]->name, name) == 0)
			return nouns[i];
	}
	return NULL;
}

/* Is the option, with its dashes, among the words? */
static bool
has_option(char *const *words, const char *option)
{
	for (; *words != NULL && strcmp(*words, "--") != 0; words++) {
		if (slice_is(slice_of(*words, strcspn(*words, "=")), option))
			return true;
	}
	return false;
}

/* The command of that verb, in the form that the words after it tell. */
static const struct command *
find_command(const struct noun *noun, const char *verb, char *const *words)
{
	const struct command *found = NULL;

	for (size_t i = 0; i < noun->ncommands; i++) {
		const struct command *c = &noun->commands[i];
		size_t n = c->verb != NULL ? verb_word(c).n : 0;

		if (n > 0 && slice_is(verb_word(c), verb) &&
		    (c->verb[n] == '\0' || has_option(words, c->verb + n + 1)))
			found = c;
	}
	return found;
}

/*
 * Reads noun and verb.  *noun and *command are NULL where the words end before
 * them; that is for the caller to judge.
 */
static int
parse_command(struct options *o, const struct noun **noun, const struct command **command,
    struct err *err)
{
	const char *word;

	if (options_next(o, &word, err) == -1)
		return -1;
	/* `berth help COMMAND`, as with git and cargo; `berth help help` is the usage of all */
	while (word != NULL && strcmp(word, "help") == 0) {
		o->sets[0]->values[COMMON_HELP] = "";
		if (options_next(o, &word, err) == -1)
			return -1;
	}
	if (word == NULL)
		return 0;
	*noun = find_noun(word);
	if (*noun == NULL)
		return err_set(err, 400, "there is no command `%s`", word);
	if ((*noun)->commands[0].verb == NULL) {
		/* what follows may be the verb of another command, or an argument */
		*command = *o->next != NULL ? find_command(*noun, *o->next, o->next) : NULL;
		if (*command != NULL)
			o->next++;
		else
			*command = &(*noun)->commands[0];
		return 0;
	}
	if (options_next(o, &word, err) == -1)
		return -1;
	if (word == NULL)
		return 0;
	*command = find_command(*noun, word, o->next);
	if (*command == NULL)
		return err_set(err, 400, "there is no command `%s %s`", (*noun)->name, word);
	return 0;
}

/* Reads what follows the verb. */
static int
parse_rest(struct options *o, struct invocation *in)
{
	const char *word;

	in->options.defs = in->command->options;
	in->options.n = in->command->noptions;
	o->sets[1] = &in->options;
	for (;;) {
		if (options_next(o, &word, &in->err) == -1)
			return -1;
		if (word == NULL)
			return 0;
		if (in->nargs == in->command->max_args)
			return err_set(&in->err, 400, "unexpected argument `%s`", word);
		in->args[in->nargs++] = word;
	}
}

/* If nobody has named the configuration, it may be elsewhere. */
static int
blame_settings(const struct option_set *common, const char *path, struct err *err)
{
	bool is_default = program_config_path(common->values[COMMON_CONFIG], false) == NULL;

	return is_default && access(path, R_OK) == -1
	    ? err_context(err, "if the configuration is elsewhere, name it with -c FILE or in BERTH_CONF") : -1;
}

/* The configuration, the connection string and how long a statement may take. */
static int
load_settings(struct invocation *in, const struct noun *noun, const struct option_set *common,
    int64_t *timeout_ms)
{
	const char *database = common->values[COMMON_DATABASE];
	const char *path = program_config_path(common->values[COMMON_CONFIG],
	    database == NULL || noun->configured);
	struct settings *settings = arena_calloc(in->arena, 1, sizeof(*settings));

	*timeout_ms = DEFAULT_TIMEOUT_MS;
	in->conninfo = database;
	if (path == NULL)
		return noun->named ? err_set(&in->err, 400, "-c FILE is missing: with --database alone there is no "
		    "configuration, which names the store") : 0;
	if (settings_load(in->arena, path, settings, &in->err) == -1)
		return blame_settings(common, path, &in->err);
	in->config_path = path;
	in->settings = settings;
	blob_store_be_patient(settings->blobs);
	*timeout_ms = settings->database_timeout * 1000;
	if (database == NULL)
		in->conninfo = settings->database_direct;
	return 0;
}

/* --wait */
static int
parse_wait(struct invocation *in, const char *text)
{
	int64_t seconds = WAIT_S;

	if (text != NULL && number_parse(text, "number of seconds", &seconds, &in->err) == -1)
		return -1;
	if (seconds > WAIT_MAX_S)
		return err_set(&in->err, 400, "%s seconds are too long to wait", text);
	in->wait_us = seconds * CLOCK_SECOND;
	return 0;
}

/* Before the administrator hears that it is done: it is done on all nodes. */
static int
wait_for_nodes(struct invocation *in, struct cache_barrier *barrier, int rc)
{
	struct err err = { 0 };
	int waited = cache_barrier_wait(barrier, in->arena, clock_us() + in->wait_us, &err);
	const char *stale = cache_barrier_take_stale(barrier, in->arena);

	if (stale != NULL)
		output_note("these nodes have lost the database, and may send stale data for so many seconds "
		    "(cache_stale_max): %s", stale);
	if (waited == 0 || rc == -1)
		return rc;
	in->err = err;
	in->unacknowledged = true;
	return err_context(&in->err, "the change is committed, but some hosts may serve stale files; "
	    "restart berth-fcgi there (berth(1), EXIT STATUS)");
}

/*
 * Standard error is the administrator's: it shows what a client would not see.  The sentence of a refusal
 * says what is wrong, and a detail only adds to it; the sentence of a failure says nothing.
 */
static const char *
error_text(struct arena *a, const struct err *err)
{
	if (err->detail[0] == '\0')
		return err->pub;
	return err->status >= 500 ? err->detail : arena_printf(a, "%s; %s", err->pub, err->detail);
}

/* Does the option, as a synopsis has it, take a value? */
static bool
takes_value(const struct command *c, struct slice option)
{
	for (size_t i = 0; i < c->noptions; i++) {
		if (slice_is(slice_of(option.p + 2, option.n - 2), c->options[i].name))
			return c->options[i].value != NULL;
	}
	return false;
}

/* The length of what stands in brackets at the start of the text. */
static size_t
bracketed(const char *text)
{
	size_t n = 1;

	for (int depth = 1; depth > 0 && text[n] != '\0'; n++)
		depth += (text[n] == '[') - (text[n] == ']');
	return n;
}

/* The name of the i-th argument in the synopsis, which has so many outside of options and brackets. */
static struct slice
argument_name(const struct command *c, size_t i)
{
	const char *rest = c->synopsis;
	struct slice word;

	for (;;) {
		rest += strspn(rest, WORDS_BLANKS);
		if (*rest == '[') {
			rest += bracketed(rest);
			continue;
		}
		if (!words_next(&rest, &word))
			return slice_str("an argument");
		if (slice_has_prefix(word, "--")) {
			if (takes_value(c, word))
				(void)words_next(&rest, &word);
		} else if (i-- == 0) {
			return word;
		}
	}
}

static int
refuse_missing(struct invocation *in)
{
	struct slice name = argument_name(in->command, in->nargs);

	return err_set(&in->err, 400, "%.*s is missing", (int)name.n, name.p);
}

static int
run(struct invocation *in, const struct noun *noun, const struct option_set *common)
{
	struct cache_barrier *barrier;
	int64_t timeout_ms;
	int rc;

	in->json = common->values[COMMON_JSON] != NULL;
	if (in->nargs < in->command->min_args)
		return refuse_missing(in);
	if (options_check(&in->options, &in->err) == -1 ||
	    parse_wait(in, common->values[COMMON_WAIT]) == -1)
		return -1;
	if (load_settings(in, noun, common, &timeout_ms) == -1) {
		if (noun->unconfigured != NULL)
			noun->unconfigured(in, error_text(in->arena, &in->err));
		return -1;
	}
	in->db = db_new(in->conninfo, timeout_ms);
	barrier = cache_barrier_new(in->db, NULL);
	db_prepare_late(in->db);
	in->actor = operator_actor(in->arena);
	in->actor.changed = &in->changed;
	rc = in->command->run(in);
	if (rc == 0 && in->nothing != NULL && !in->changed)
		output_note("%s, so nothing has changed", in->nothing);
	/* also what a command has done that failed in the end */
	rc = wait_for_nodes(in, barrier, rc);
	cache_barrier_free(barrier);
	db_free(in->db);
	return rc;
}

static int
report(const struct noun *noun, const struct invocation *in)
{
	const struct err *err = &in->err;

	output_note("%s", error_text(in->arena, err));
	if (in->unacknowledged)
		return EXIT_UNACKNOWLEDGED;
	if (err->status != 400)
		return noun != NULL && noun->failed != 0 ? noun->failed : EXIT_FAILED;
	if (in->understood) {
		/* the sentence is all */
	} else if (noun == NULL) {
		fputs("usage: berth COMMAND ...; for all commands, see berth --help\n", stderr);
	} else if (in->command != NULL) {
		fputs("usage: ", stderr);
		print_usage(stderr, noun, in->command);
	} else {
		print_usages(stderr, noun);
	}
	return EXIT_USAGE;
}

/* Fills in the exit status.  -1: err. */
static int
answer(const struct noun *noun, struct invocation *in, const struct option_set *common)
{
	bool asked = common->values[COMMON_HELP] != NULL;

	if (common->values[COMMON_VERSION] != NULL) {
		puts("berth " BERTH_VERSION);
		return 0;
	}
	if (noun == NULL || in->command == NULL) {
		print_usages(asked ? stdout : stderr, noun);
		in->status = asked ? EXIT_SUCCESS : EXIT_USAGE;
		return 0;
	}
	if (!asked)
		return run(in, noun, common);
	print_help(noun, in->command);
	return 0;
}

int
main(int argc, char **argv)
{
	struct option_set common = { .defs = common_defs,
		.n = sizeof(common_defs) / sizeof(*common_defs) };
	struct options options = { .next = argv + (argc > 0), .sets = { &common } };
	struct invocation in = { .arena = arena_new() };
	const struct noun *noun = NULL;
	int status;

	if (daemon_prepare() == -1)
		(void)err_sys(&in.err, "cannot open /dev/null");
	/* a token that nobody has read is lost: say so */
	if (in.err.status != 0 || parse_command(&options, &noun, &in.command, &in.err) == -1 ||
	    (in.command != NULL && parse_rest(&options, &in) == -1) ||
	    answer(noun, &in, &common) == -1 || program_flush(&in.err) == -1)
		status = report(noun, &in);
	else
		status = in.status;
	arena_free(in.arena);
	return status;
}
