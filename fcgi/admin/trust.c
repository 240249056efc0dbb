#include "store/token/trust_rule.h"

#include <inttypes.h>
#include <string.h>

#include "admin/command.h"
#include "admin/number.h"
#include "admin/output.h"
#include "base/json.h"

enum { ADD_ISSUER, ADD_CRATES, ADD_OPERATIONS, ADD_USER, ADD_IF_MISSING };

static const struct option_def add_options[] = {
	[ADD_ISSUER] = { "issuer", 0, "URL", true },
	[ADD_CRATES] = { "crates", 0, "PATTERN,...", false },
	[ADD_OPERATIONS] = { "operations", 0, "OPERATION,...", false },
	[ADD_USER] = { "user", 0, "NAME", false },
	[ADD_IF_MISSING] = { "if-missing", 0, NULL, false },
};

enum { CLAIMS_MAX = 64 * 1024 };

static struct namespace_ref
project_of(const struct invocation *in)
{
	return (struct namespace_ref) { .path = slice_str(in->args[0]) };
}

/* The claims that berth(1) names. */
static const char *const claims_known[] = { "environment", "event_name", "pipeline_source", "project_path",
	"ref", "repository", "sub", "workflow" };

enum { CLAIM_MAX = 32, CLAIM_SHORT = 5 };

/* How many characters differ, are missing or are too many; names of at most CLAIM_MAX bytes. */
static size_t
count_typos(const char *a, const char *b)
{
	size_t row[CLAIM_MAX + 1], n = strlen(b);

	for (size_t k = 0; k <= n; k++)
		row[k] = k;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t above = row[0];

		row[0] = i;
		for (size_t k = 1; k <= n; k++) {
			size_t change = above + (a[i - 1] != b[k - 1]);
			size_t other = (row[k] < row[k - 1] ? row[k] : row[k - 1]) + 1;

			above = row[k];
			row[k] = change < other ? change : other;
		}
	}
	return row[n];
}

/* An issuer may have any claims, so a name that is almost a known one is no error. */
static void
doubt_claim(const char *claim)
{
	if (strlen(claim) > CLAIM_MAX)
		return;
	for (size_t i = 0; i < sizeof(claims_known) / sizeof(*claims_known); i++) {
		const char *known = claims_known[i];
		size_t typos = count_typos(claim, known);

		if (typos > 0 && typos <= (strlen(known) <= CLAIM_SHORT ? 1 : 2))
			output_note("warning: the rule matches only tokens with the claim `%s`; is `%s` meant?", claim,
			    known);
	}
}

/* CLAIM=PATTERN ... as a JSON object. */
static int
parse_claims(struct invocation *in, const char **out)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, in->arena, CLAIMS_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	for (size_t i = 1; i < in->nargs; i++) {
		size_t n = strcspn(in->args[i], "=");

		if (in->args[i][n] == '\0')
			return err_set(&in->err, 400, "`%s` is not CLAIM=PATTERN", in->args[i]);
		json_out_key_str(&o, arena_strndup(in->arena, in->args[i], n), in->args[i] + n + 1);
	}
	json_out_close(&o, '}');
	if (buf_full(&b))
		return err_set(&in->err, 400, "the claims and their patterns have more than %d bytes", CLAIMS_MAX);
	*out = buf_str(&b);
	return 0;
}

static const char *
text_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

/* Names the rule that has the same issuer and claims, and how to change it. */
static void
say_existing(struct invocation *in, const struct provision *p, const struct provision_thing *rule)
{
	struct provision_thing there;
	struct err ignored = { 0 };
	bool found;

	if (in->err.status == 409 && provision_find(p, rule, &there, &found, &ignored) == 0 && found)
		err_set(&in->err, 409,
		    "trust rule %" PRId64 " of `%s` already has this issuer and these claims; to change it, remove "
		    "it first: `berth trust remove %s %" PRId64 "`, or use `berth apply`",
		    there.id, in->args[0], in->args[0], there.id);
}

static int
add(struct invocation *in)
{
	static const char *const keys[] = { "id", "project", "issuer", "claims", "crates",
		"operations", "user" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	const char *const *given = in->options.values;
	const struct provision p = command_provision(in, false);
	struct provision_thing rule = { .kind = PROVISION_TRUST, .names = { in->args[0], given[ADD_ISSUER] },
		.values = { [TRUST_CRATES] = given[ADD_CRATES], [TRUST_OPERATIONS] = given[ADD_OPERATIONS],
		    [TRUST_USER] = given[ADD_USER] } };
	const char *const *v = rule.values;

	if (parse_claims(in, &rule.names[2]) == -1)
		return -1;
	if (provision_add(&p, &rule, given[ADD_IF_MISSING] != NULL, &in->err) == -1) {
		say_existing(in, &p, &rule);
		return -1;
	}
	for (size_t i = 1; i < in->nargs; i++)
		doubt_claim(arena_strndup(in->arena, in->args[i], strcspn(in->args[i], "=")));
	output_id(&out, (struct cell[]) { cell_int(rule.id), cell_str(in->args[0]), cell_str(rule.names[1]),
	    cell_json(rule.names[2]),
	    text_or_null(v[TRUST_CRATES]) != NULL ? cell_words(v[TRUST_CRATES]) : cell_str(NULL),
	    cell_words(v[TRUST_OPERATIONS]), cell_str(text_or_null(v[TRUST_USER])) });
	return 0;
}

static int
list(struct invocation *in)
{
	static const char *const keys[] = { "id", "issuer", "claims", "crates", "operations",
		"user", "owner_id", "created_at" };
	enum { NKEYS = sizeof(keys) / sizeof(*keys) };
	struct output out = { in->arena, in->json, keys, NKEYS };
	struct namespace_ref project = project_of(in);
	struct trust_rule *rules;
	struct cell *cells;
	size_t n;

	if (trust_rule_list(in->db, in->arena, &project, &rules, &n, &in->err) == -1)
		return -1;
	cells = arena_calloc(in->arena, n, NKEYS * sizeof(*cells));
	for (size_t i = 0; i < n; i++) {
		const struct trust_rule *r = &rules[i];
		struct cell row[NKEYS] = { cell_int(r->id), cell_str(r->issuer),
			cell_json(r->claims), r->crates != NULL ? cell_words(r->crates) : cell_str(NULL),
			cell_words(r->operations), cell_str(r->username), cell_str(r->owner_id),
			cell_time(r->created_at) };

		memcpy(&cells[i * NKEYS], row, sizeof(row));
	}
	output_table(&out, cells, n);
	return 0;
}

static int
remove_rule(struct invocation *in)
{
	static const char *const keys[] = { "id", "removed" };
	struct output out = { in->arena, in->json, keys, sizeof(keys) / sizeof(*keys) };
	struct namespace_ref project = project_of(in);
	int64_t id;

	if (number_parse(in->args[1], "id of a trust rule", &id, &in->err) == -1 ||
	    trust_rule_remove(in->db, in->arena, &in->actor, &project, id, &in->err) == -1)
		return -1;
	output_id(&out, (struct cell[]) { cell_int(id), cell_bool(true) });
	return 0;
}

static const struct command commands[] = {
	{ "add",
	    "GROUP/PROJECT --issuer URL CLAIM=PATTERN ... [--crates PATTERN[,...]] "
	    "[--operations OPERATION[,...]] [--user NAME] [--if-missing]",
	    "Trusts jobs whose identity tokens are from that issuer and match all these claims,\n"
	    "and prints the new rule's id.  In a pattern, * stands for any characters.  One claim\n"
	    "must be project_path (GitLab), repository (GitHub, Gitea, Forgejo) or sub.  The\n"
	    "jobs may publish, or do what --operations says, with all crates of the project or\n"
	    "those of --crates; for the user, or for nobody.  It fails if there is a rule with the\n"
	    "same issuer and claims.\n"
	    "--if-missing: if there is a rule with the same issuer and claims, changes nothing and\n"
	    "says what differs.",
	    COMMAND_OPTIONS(add_options), 2, COMMAND_ARGS_MAX, add },
	{ "list", "GROUP/PROJECT",
	    "Lists the trust rules of a project, in the order in which Berth tries them.", NULL, 0,
	    1, 1, list },
	{ "remove", "GROUP/PROJECT ID",
	    "Removes a trust rule.  From the next request on, Berth also refuses all tokens that\n"
	    "jobs obtained through it.",
	    NULL, 0, 2, 2, remove_rule },
};

const struct noun admin_trust = { "trust", COMMAND_LIST(commands) };
