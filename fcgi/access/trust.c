#include "access/trust.h"

#include <inttypes.h>
#include <stdbool.h>
#include <strings.h>

#include "base/buf.h"
#include "base/json.h"

enum {
	CLAIMS_TEXT_MAX = 16 * 1024,
	ID_DIGITS_MAX = 18,
	EVENTS_MAX = 4,
	SHOWN_MAX = 120 /* bytes of a claim in a message */
};

const char *const trust_kind_names[TRUST__NKINDS] = {
	[TRUST_GITLAB] = "gitlab",
	[TRUST_GITHUB] = "github",
	[TRUST_GITEA] = "gitea",
	[TRUST_GENERIC] = "generic",
};

/* Claims by what they mean; NULL: issuers of this kind have none. */
static const struct kind {
	const char *repository; /* what a rule must name */
	const char *owner_id;
	const char *pipeline;
	const char *job;
	const char *event;
	const char *workflow; /* the file that runs, with more around it */
	const char *events[EVENTS_MAX]; /* events that no rule needs to name */
} kinds[TRUST__NKINDS] = {
	/* a pushed tag is a push, and a release makes a tag; web and api: a person runs a pipeline */
	[TRUST_GITLAB] = { "project_path", "namespace_id", "pipeline_id", "job_id",
	    "pipeline_source", "ci_config_ref_uri", { "push", "schedule", "web", "api" } },
	[TRUST_GITHUB] = { "repository", "repository_owner_id", "run_id", NULL, "event_name",
	    "workflow_ref", { "push", "schedule", "release", "workflow_dispatch" } },
	[TRUST_GITEA] = { "repository", "repository_owner_id", "run_id", NULL, "event_name",
	    "workflow_ref", { "push", "schedule", "release", "workflow_dispatch" } },
	[TRUST_GENERIC] = { "sub", NULL, NULL, NULL, NULL, NULL, { NULL } },
};

/* What every token is checked for: a pattern could only seem to change that. */
static const char *const reserved[] = { "iss", "aud", "exp", "nbf", "iat", "jti" };

/* Names that mean the same in whatever case. */
static const char *const caseless[] = { "repository", "project_path", "environment" };

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define COUNT(x) (sizeof(x) / sizeof(*(x)))

/* A name for the file that runs, without what stands around it in the claim. */
#define WORKFLOW "workflow"

static bool
is_one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (words[i] != NULL && strcmp(words[i], word) == 0)
			return true;
	}
	return false;
}

int
trust_kind_parse(const char *word, enum trust_kind *kind, struct err *err)
{
	for (int i = 0; i < TRUST__NKINDS; i++) {
		if (strcmp(trust_kind_names[i], word) == 0) {
			*kind = (enum trust_kind)i;
			return 0;
		}
	}
	return err_set(err, 400, "the kind must be gitlab, github, gitea or generic, not `%s`",
	    word);
}

/* ---- rules ---- */

static int
check_pattern(const char *name, struct json_object *value, struct err *err)
{
	const char *pattern = json_object_get_string(value);
	size_t n = strlen(name);

	if (n == 0 || n > TRUST_NAME_MAX || strspn(name, LETTERS "0123456789_-.:/") != n)
		return err_set(err, 400, "`%s` is not the name of a claim", name);
	if (is_one_of(name, reserved, COUNT(reserved)))
		return err_set(err, 400, "`%s` is checked in every token; leave it out", name);
	if (!json_object_is_type(value, json_type_string) || pattern[0] == '\0' ||
	    strlen(pattern) > TRUST_PATTERN_MAX)
		return err_set(err, 400, "the pattern for `%s` must have 1 to %d bytes", name,
		    TRUST_PATTERN_MAX);
	for (const char *p = pattern; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(err, 400, "the pattern for `%s` holds a control character",
			    name);
	}
	return 0;
}

/* A star that reached into the owner's name would trust whoever makes up an owner. */
static int
check_repository(enum trust_kind kind, struct json_object *patterns, struct err *err)
{
	const char *name = kinds[kind].repository;
	struct json_object *value;
	const char *pattern, *slash;

	if (!json_object_object_get_ex(patterns, name, &value))
		return err_set(err, 400, "a rule must have a pattern for `%s`", name);
	pattern = json_object_get_string(value);
	slash = strchr(pattern, '/');
	if (kind == TRUST_GENERIC)
		return pattern[0] != '*' ? 0 :
		    err_set(err, 400, "the pattern for `%s` must not begin with `*`", name);
	if (slash == NULL || slash == pattern || strcspn(pattern, "*") < (size_t)(slash - pattern))
		return err_set(err, 400, "the pattern for `%s` must name the owner: owner/name",
		    name);
	return 0;
}

int
trust_check_patterns(enum trust_kind kind, struct json_object *patterns, struct err *err)
{
	if (!json_object_is_type(patterns, json_type_object))
		return err_set(err, 400, "the claims must be an object of patterns");
	if (json_object_object_length(patterns) > TRUST_CLAIMS_MAX)
		return err_set(err, 400, "a rule can have patterns for at most %d claims",
		    TRUST_CLAIMS_MAX);
	json_object_object_foreach(patterns, name, value)
	{
		if (check_pattern(name, value, err) == -1)
			return -1;
	}
	return check_repository(kind, patterns, err);
}

/* ---- claims ---- */

/* A value as text: a string, a whole number, true or false.  NULL: it is none of them. */
static const char *
text_of(struct json_object *value)
{
	/* not json_object_get_int64(), which gives one number for all that are too great */
	return json_object_is_type(value, json_type_string) || json_object_is_type(value, json_type_int) ||
	        json_object_is_type(value, json_type_boolean)
	    ? json_object_get_string(value) : NULL;
}

/* A claim as text; NULL: there is none. */
static const char *
claim(struct json_object *claims, const char *name)
{
	struct json_object *value;

	return name != NULL && json_object_object_get_ex(claims, name, &value) ? text_of(value) : NULL;
}

/*
 * The claim of that name, which may hold slashes; else, from an object, the member that the rest of the name
 * gives: "kubernetes.io/pod/name".  Visits each object of the token at most once.
 */
static struct json_object *
find(struct arena *a, struct json_object *claims, const char *name)
{
	struct json_object *value;

	if (json_object_object_get_ex(claims, name, &value))
		return value;
	for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		if (!json_object_object_get_ex(claims, arena_strndup(a, name, (size_t)(slash - name)), &value) ||
		    !json_object_is_type(value, json_type_object))
			continue;
		value = find(a, value, slash + 1);
		if (value != NULL)
			return value;
	}
	return NULL;
}

/* "host/owner/name//dir/file.yml@ref", "owner/name/dir/file.yml@ref": the file's name. */
static const char *
workflow_file(struct arena *a, enum trust_kind kind, struct json_object *claims)
{
	const char *text = claim(claims, kinds[kind].workflow);
	const char *at, *file;

	if (text == NULL)
		return NULL;
	/* a ref may hold an @, a file's name as well: what is not clear is no file */
	at = text + strcspn(text, "@");
	if (strncmp(at, "@refs/", strlen("@refs/")) != 0)
		return NULL;
	file = at;
	while (file > text && file[-1] != '/')
		file--;
	return arena_strndup(a, file, (size_t)(at - file));
}

static char
fold(char c, bool caseless_name)
{
	return caseless_name && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Stars are tried from left to right, each as short as will do: no worse than n times m. */
static bool
matches(const char *pattern, const char *text, bool caseless_name)
{
	const char *star = NULL, *from = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			from = text;
		} else if (*pattern != '\0' &&
		    fold(*pattern, caseless_name) == fold(*text, caseless_name)) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star + 1;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool
fits(const char *name, const char *pattern, const char *text)
{
	return text != NULL && matches(pattern, text, is_one_of(name, caseless, COUNT(caseless)));
}

/* Does the claim match, or one element of its list?  *shown: its text, for a message; NULL: there is none. */
static bool
is_met(struct arena *a, enum trust_kind kind, struct json_object *claims, const char *name,
    const char *pattern, const char **shown)
{
	struct json_object *value;

	if (strcmp(name, WORKFLOW) == 0 && kinds[kind].workflow != NULL) {
		*shown = workflow_file(a, kind, claims);
		return fits(name, pattern, *shown);
	}
	value = find(a, claims, name);
	*shown = text_of(value);
	if (*shown != NULL || value == NULL)
		return fits(name, pattern, *shown);
	*shown = json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE);
	for (size_t i = 0; json_object_is_type(value, json_type_array) && i < json_object_array_length(value); i++) {
		if (fits(name, pattern, text_of(json_object_array_get_idx(value, i))))
			return true;
	}
	return false;
}

static enum trust_verdict
unmet(const char *name, const char *pattern, const char *text, struct err *err)
{
	if (text == NULL)
		err_set(err, 403, "the token has no claim `%s`, which must be `%s`", name, pattern);
	else
		err_set(err, 403, "the token's `%s` is `%.*s`, but the rule asks for `%s`", name,
		    SHOWN_MAX, text, pattern);
	return TRUST_UNMET;
}

/*
 * A job of another event may run code of a stranger, and CI systems invent new events, so a rule must
 * name such an event.  A token without its event claim may come from one of them.
 */
static int
check_event(const struct kind *k, struct json_object *patterns, struct json_object *claims, struct err *err)
{
	const char *event = claim(claims, k->event);
	struct json_object *named;

	if (k->event == NULL)
		return 0;
	if (event == NULL)
		return err_set(err, 403, "the token does not name the event that started its job (claim `%s`)",
		    k->event);
	if (is_one_of(event, k->events, COUNT(k->events)) ||
	    (json_object_object_get_ex(patterns, k->event, &named) &&
	        strcmp(json_object_get_string(named), event) == 0))
		return 0;
	return err_set(err, 403,
	    "a job of the event `%.*s` needs a rule with `%s=%.*s`; other rules trust %s, %s, %s and %s",
	    SHOWN_MAX, event, k->event, SHOWN_MAX, event, k->events[0], k->events[1], k->events[2], k->events[3]);
}

enum trust_verdict
trust_match(struct arena *a, enum trust_kind kind, struct json_object *patterns,
    const char *owner_id, struct json_object *claims, struct err *err)
{
	const struct kind *k = &kinds[kind];
	const char *owner = claim(claims, k->owner_id), *shown;
	struct json_object *repository;

	/* one text: of a list it would not be clear which is meant */
	if (!json_object_object_get_ex(patterns, k->repository, &repository) ||
	    !fits(k->repository, json_object_get_string(repository), claim(claims, k->repository)))
		return TRUST_OTHER;
	if (owner_id != NULL && (owner == NULL || strcmp(owner, owner_id) != 0))
		return TRUST_OTHER;
	json_object_object_foreach(patterns, name, value)
	{
		if (!is_met(a, kind, claims, name, json_object_get_string(value), &shown))
			return unmet(name, json_object_get_string(value), shown, err);
	}
	return check_event(k, patterns, claims, err) == -1 ? TRUST_UNMET : TRUST_MATCHES;
}

/* ---- jobs ---- */

static const char *
name_claim(struct arena *a, struct json_object *claims, const char *name)
{
	const char *text = claim(claims, name);

	return text == NULL ? arena_printf(a, "no `%s`", name)
			    : arena_printf(a, "the `%s` `%.*s`", name, SHOWN_MAX, text);
}

const char *
trust_name_repository(struct arena *a, enum trust_kind kind, struct json_object *claims)
{
	const struct kind *k = &kinds[kind];
	const char *repository = name_claim(a, claims, k->repository);

	return k->owner_id == NULL ? repository
				   : arena_printf(a, "%s and %s", repository, name_claim(a, claims, k->owner_id));
}

static int64_t
number_of(const char *text)
{
	size_t n = text == NULL ? 0 : strspn(text, "0123456789");

	return n == 0 || n > ID_DIGITS_MAX || text[n] != '\0' ? 0 : strtoimax(text, NULL, 10);
}

/* Where people find the jobs of an issuer: GitHub's issuers are not where its pages are. */
static struct slice
pages_of(enum trust_kind kind, const char *issuer)
{
	static const char github[] = "https://token.actions.githubusercontent.com";
	const char *host = strstr(issuer, "://");

	if (kind == TRUST_GITHUB && strncmp(issuer, github, sizeof(github) - 1) == 0)
		return slice_str("https://github.com");
	if (host == NULL || kind == TRUST_GITLAB)
		return slice_str(issuer);
	host += strlen("://");
	return slice_of(issuer, (size_t)(host - issuer) + strcspn(host, "/"));
}

static const char *
url_of(struct arena *a, enum trust_kind kind, const char *issuer, const struct trust_job *job)
{
	struct slice pages = pages_of(kind, issuer);
	const char *form = kind == TRUST_GITLAB ? "-/jobs" : "actions/runs";
	int64_t id = kind == TRUST_GITLAB ? job->job : job->pipeline;

	if (job->repository == NULL || id == 0)
		return NULL;
	return arena_printf(a, "%.*s/%s/%s/%" PRId64, (int)pages.n, pages.p, job->repository, form,
	    id);
}

/* The claims that a person wants to see later; never those that make a token. */
static const char *
claims_of(struct arena *a, struct json_object *claims)
{
	static const char *const told[] = { "sub", "repository", "project_path", "ref", "ref_type",
		"environment", "workflow_ref", "job_workflow_ref", "ci_config_ref_uri", "event_name",
		"pipeline_source", "actor", "user_login", "run_attempt" };
	struct json_out o;
	struct buf b;

	buf_init(&b, a, CLAIMS_TEXT_MAX);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	for (size_t i = 0; i < COUNT(told); i++) {
		const char *text = claim(claims, told[i]);

		if (text != NULL)
			json_out_key_str(&o, told[i], text);
	}
	json_out_close(&o, '}');
	return buf_full(&b) ? "{}" : buf_str(&b);
}

void
trust_describe(struct arena *a, enum trust_kind kind, const char *issuer,
    struct json_object *claims, struct trust_job *job)
{
	const struct kind *k = &kinds[kind];

	*job = (struct trust_job) {
		.repository = claim(claims, k->repository),
		.owner_id = claim(claims, k->owner_id),
		.pipeline = number_of(claim(claims, k->pipeline)),
		.job = number_of(claim(claims, k->job)),
		.ref = claim(claims, "ref"),
		.commit = claim(claims, "sha"),
		.claims = claims_of(a, claims),
	};
	if (kind != TRUST_GENERIC)
		job->job_url = url_of(a, kind, issuer, job);
}
