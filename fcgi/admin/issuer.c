#include "store/token/issuer.h"

#include <inttypes.h>
#include <stdio.h>

#include "admin/command.h"
#include "admin/output.h"

enum { ADD_KIND, ADD_AUDIENCE, ADD_JWKS_URL, ADD_IF_MISSING };

static const struct option_def add_options[] = {
	[ADD_KIND] = { "kind", 0, "gitlab|github|gitea|generic", true },
	[ADD_AUDIENCE] = { "audience", 0, "AUDIENCE", false },
	[ADD_JWKS_URL] = { "jwks-url", 0, "URL", false },
	[ADD_IF_MISSING] = { "if-missing", 0, NULL, false },
};

/* The issuer is added already, so an error here is no reason to fail. */
static void
warn_of_other(const struct invocation *in, const char *url)
{
	struct err ignored = { 0 };
	const char *other;

	if (issuer_find_other(in->db, in->arena, url, &other, &ignored) == 0 && other != NULL)
		fprintf(stderr, "berth: warning: issuer `%s`: " ISSUER_OTHER "\n", url, other);
}

static int
add(struct invocation *in)
{
	static const char *const keys[] = { "id", "url", "kind" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	const char *const *given = in->options.values;
	const struct provision p = command_provision(in, false);
	struct provision_thing issuer = { .kind = PROVISION_ISSUER, .names = { in->args[0] },
		.values = { [ISSUER_KIND] = given[ADD_KIND], [ISSUER_AUDIENCE] = given[ADD_AUDIENCE],
		    [ISSUER_JWKS_URL] = given[ADD_JWKS_URL] } };

	if (provision_add(&p, &issuer, given[ADD_IF_MISSING] != NULL, &in->err) == -1)
		return -1;
	warn_of_other(in, issuer.names[0]);
	output_id(&out, (struct cell[]) { cell_int(issuer.id), cell_str(issuer.names[0]),
	    cell_str(issuer.values[ISSUER_KIND]) });
	return 0;
}

static const char *
text_or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static int
list(struct invocation *in)
{
	static const char *const keys[] = { "id", "url", "kind", "audience", "jwks_url", "enabled",
		"rules", "created_at", "keys_read_at", "keys_failed_at" };
	enum { NKEYS = sizeof(keys) / sizeof(*keys) };
	struct output out = { in->arena, in->json, keys, NKEYS };
	struct issuer *issuers;
	struct cell *cells;
	size_t n;

	if (issuer_list(in->db, in->arena, &issuers, &n, &in->err) == -1)
		return -1;
	cells = arena_calloc(in->arena, n, NKEYS * sizeof(*cells));
	for (size_t i = 0; i < n; i++) {
		const struct issuer *s = &issuers[i];
		struct cell row[NKEYS] = { cell_int(s->id), cell_str(s->url), cell_str(s->kind),
			cell_str(text_or_null(s->audience)), cell_str(text_or_null(s->jwks_url)),
			cell_bool(s->enabled), cell_int(s->rules), cell_time(s->created_at),
			cell_time(s->fetched_at), cell_time(s->failed_at) };

		memcpy(&cells[i * NKEYS], row, sizeof(row));
	}
	output_table(&out, cells, n);
	return 0;
}

static int
remove_issuer(struct invocation *in)
{
	static const char *const keys[] = { "id", "removed", "rules" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	int64_t id, rules;

	if (issuer_remove(in->db, in->arena, &in->actor, in->args[0], &id, &rules, &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_int(id), cell_bool(true), cell_int(rules) });
	if (rules > 0)
		fprintf(stderr, "berth: %" PRId64 " trust %s removed with the issuer\n", rules,
		    rules == 1 ? "rule is" : "rules are");
	return 0;
}

static int
set_enabled(struct invocation *in, bool enabled)
{
	static const char *const keys[] = { "id", "enabled" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	int64_t id;

	if (issuer_set_enabled(in->db, in->arena, &in->actor, in->args[0], enabled, &id,
	        &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_int(id), cell_bool(enabled) });
	return 0;
}

static int
enable(struct invocation *in)
{
	return set_enabled(in, true);
}

static int
disable(struct invocation *in)
{
	return set_enabled(in, false);
}

static const struct command commands[] = {
	{ "add",
	    "URL --kind gitlab|github|gitea|generic [--audience AUDIENCE] [--jwks-url URL] [--if-missing]",
	    "Trusts identity tokens of that issuer and prints its id.  URL is their `iss`.\n"
	    "Their audience must be AUDIENCE, by default external_url of the configuration.\n"
	    "Berth reads the keys from --jwks-url, or from the address in the issuer's\n"
	    "discovery document.  To let jobs in, you also need a rule: see berth trust.\n" IF_MISSING,
	    COMMAND_OPTIONS(add_options), 1, 1, add },
	{ "list", "", "Lists the issuers.", NULL, 0, 0, 0, list },
	{ "disable", "URL",
	    "Stops trusting the issuer.  From the next request on, Berth also refuses all\n"
	    "tokens that jobs obtained through it.",
	    NULL, 0, 1, 1, disable },
	{ "enable", "URL", "Trusts the issuer again.", NULL, 0, 1, 1, enable },
	{ "remove", "URL",
	    "Removes the issuer and all its trust rules.  From the next request on, Berth also\n"
	    "refuses all tokens that jobs obtained through them.",
	    NULL, 0, 1, 1, remove_issuer },
};

const struct noun admin_issuer = { "issuer", COMMAND_LIST(commands) };
