/* Trust rules: what a pattern means, and which claims a rule may have. */

#include "access/trust.h"

#include "base/json.h"
#include "tap.h"

static struct arena *a;

static struct json_object *
parse(const char *text)
{
	struct json_object *o = NULL;
	struct err err = { 0 };

	ok(json_parse(a, slice_str(text), "a test", &o, &err) == 0, "JSON: %s", text);
	return o;
}

static enum trust_verdict
verdict_of(enum trust_kind kind, const char *patterns, const char *owner,
    struct json_object *claims)
{
	struct err err = { 0 };
	enum trust_verdict v = trust_match(a, kind, parse(patterns), owner, claims, &err);

	ok((v == TRUST_UNMET) == (err.status == 403), "it says why");
	return v;
}

/* Of a push, where the claims say nothing else. */
static enum trust_verdict
verdict(const char *patterns, const char *owner, const char *text)
{
	struct json_object *claims = parse(text), *event;

	if (!json_object_object_get_ex(claims, "event_name", &event))
		json_object_object_add(claims, "event_name", json_object_new_string("push"));
	return verdict_of(TRUST_GITHUB, patterns, owner, claims);
}

/* One pattern for `ref`, and whether it fits. */
static void
check(const char *pattern, const char *ref, bool fits)
{
	const char *patterns = arena_printf(a, "{\"repository\":\"o/r\",\"ref\":\"%s\"}", pattern);
	const char *claims = arena_printf(a, "{\"repository\":\"o/r\",\"ref\":\"%s\"}", ref);

	is_int(verdict(patterns, NULL, claims), fits ? TRUST_MATCHES : TRUST_UNMET,
	    arena_printf(a, "`%s` and `%s`", pattern, ref));
}

static void
test_patterns(void)
{
	check("main", "main", true);
	check("main", "Main", false);
	check("main", "mainly", false);
	check("main", "", false);
	check("*", "", true);
	check("*", "refs/heads/x", true);
	check("refs/tags/v*", "refs/tags/v1.0", true);
	check("refs/tags/v*", "refs/tags/v", true);
	check("refs/tags/v*", "refs/tags/", false);
	check("refs/tags/v*", "xrefs/tags/v1", false);
	check("*.0", "1.0", true);
	check("*.0", "1.0.1", false);
	check("a*b*c", "abc", true);
	check("a*b*c", "aXXbXXbXXc", true);
	check("a*b*c", "aXXcXXb", false);
	check("**", "x", true);
	check("a.c", "abc", false);
	check("[a]", "a", false);
}

static void
test_claims(void)
{
	static const char rule[] = "{\"repository\":\"Octo/App\",\"environment\":\"prod\"}";

	is_int(verdict(rule, NULL, "{\"repository\":\"octo/app\",\"environment\":\"PROD\"}"),
	    TRUST_MATCHES, "names whatever their case");
	is_int(verdict(rule, NULL, "{\"repository\":\"octo/app\"}"), TRUST_UNMET, "a claim is missing");
	is_int(verdict(rule, NULL, "{\"environment\":\"prod\"}"), TRUST_OTHER, "no repository");
	is_int(verdict(rule, NULL, "{\"repository\":[\"octo/app\"],\"environment\":\"prod\"}"),
	    TRUST_OTHER, "a list is no text");
	is_int(verdict(rule, NULL, "{\"repository\":\"octo/app/x\",\"environment\":\"prod\"}"),
	    TRUST_OTHER, "another one below it");
	is_int(verdict(rule, "7", "{\"repository\":\"octo/app\",\"environment\":\"prod\"}"), TRUST_OTHER,
	    "an owner that it does not tell");
	is_int(verdict(rule, "7", "{\"repository\":\"octo/app\",\"repository_owner_id\":7,"
	                          "\"environment\":\"prod\"}"), TRUST_MATCHES, "a number is its text");
	is_int(verdict(rule, "9223372036854775807", "{\"repository\":\"octo/app\",\"environment\":\"prod\","
	                                            "\"repository_owner_id\":9223372036854775808}"),
	    TRUST_OTHER, "also a great one");
	is_int(verdict(rule, "7", "{\"repository\":\"octo/app\",\"repository_owner_id\":\"8\","
	                          "\"environment\":\"prod\"}"), TRUST_OTHER, "another owner");
	is_int(verdict("{\"repository\":\"o/r\",\"fork\":\"false\"}", NULL,
	           "{\"repository\":\"o/r\",\"fork\":false}"), TRUST_MATCHES, "true and false too");
	is_int(verdict("{\"repository\":\"o/*\"}", NULL, "{\"repository\":\"o/r\"}"), TRUST_MATCHES,
	    "all of an owner");
}

/* The event of the token, and what the rule says of events; "" for nothing. */
static void
check_event(const char *pattern, const char *event, enum trust_verdict want)
{
	const char *patterns = pattern[0] == '\0' ? "{\"repository\":\"o/r\"}" :
	    arena_printf(a, "{\"repository\":\"o/r\",\"event_name\":\"%s\"}", pattern);
	const char *claims =
	    arena_printf(a, "{\"repository\":\"o/r\",\"event_name\":\"%s\"}", event);

	is_int(verdict(patterns, NULL, claims), want, arena_printf(a, "%s by `%s`", event, pattern));
}

static void
test_events(void)
{
	/* all that GitHub documents, and one that it may invent */
	static const char *const events[] = { "branch_protection_rule", "check_run", "check_suite",
		"create", "delete", "deployment", "deployment_status", "discussion",
		"discussion_comment", "dynamic", "fork", "gollum", "image_version", "issue_comment",
		"issues", "label", "merge_group", "milestone", "page_build", "public", "pull_request",
		"pull_request_review", "pull_request_review_comment", "pull_request_target",
		"registry_package", "repository_dispatch", "status", "watch", "workflow_call",
		"workflow_run", "Push", "push ", "", "tomorrows_event" };
	static const char *const good[] = { "push", "schedule", "release", "workflow_dispatch" };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		check_event("", good[i], TRUST_MATCHES);
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		check_event("", events[i], TRUST_UNMET);
	check_event("issue_comment", "issue_comment", TRUST_MATCHES);
	check_event("issue_comment", "push", TRUST_UNMET);
	check_event("*", "pull_request_target", TRUST_UNMET);
	check_event("pull_request*", "pull_request_target", TRUST_UNMET);
	check_event("pull_request_target", "pull_request_target", TRUST_MATCHES);
}

/* GitLab's, and what does not say its event. */
static void
test_other_events(void)
{
	static const struct {
		const char *event; /* in JSON */
		enum trust_verdict want;
	} cases[] = {
		{ "\"push\"", TRUST_MATCHES },
		{ "\"schedule\"", TRUST_MATCHES },
		{ "\"web\"", TRUST_MATCHES },
		{ "\"api\"", TRUST_MATCHES },
		{ "\"trigger\"", TRUST_UNMET },
		{ "\"external\"", TRUST_UNMET },
		{ "\"pipeline\"", TRUST_UNMET },
		{ "\"chat\"", TRUST_UNMET },
		{ "\"webide\"", TRUST_UNMET },
		{ "\"ondemand_dast_scan\"", TRUST_UNMET },
		{ "\"ondemand_dast_validation\"", TRUST_UNMET },
		{ "\"security_orchestration_policy\"", TRUST_UNMET },
		{ "\"container_registry_push\"", TRUST_UNMET },
		{ "\"duo_workflow\"", TRUST_UNMET },
		{ "\"pipeline_execution_policy_schedule\"", TRUST_UNMET },
		{ "\"unknown\"", TRUST_UNMET },
		{ "\"merge_request_event\"", TRUST_UNMET },
		{ "\"external_pull_request_event\"", TRUST_UNMET },
		{ "\"parent_pipeline\"", TRUST_UNMET },
		{ "[\"merge_request_event\"]", TRUST_UNMET },
		{ "null", TRUST_UNMET },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_int(verdict_of(TRUST_GITLAB, "{\"project_path\":\"g/p\"}", NULL,
		           parse(arena_printf(a, "{\"project_path\":\"g/p\",\"pipeline_source\":%s}",
		               cases[i].event))), cases[i].want, cases[i].event);
	is_int(verdict_of(TRUST_GITLAB,
	           "{\"project_path\":\"g/p\",\"pipeline_source\":\"parent_pipeline\"}", NULL,
	           parse("{\"project_path\":\"g/p\",\"pipeline_source\":\"parent_pipeline\"}")),
	    TRUST_MATCHES, "that a rule names");
	is_int(verdict_of(TRUST_GITEA, "{\"repository\":\"o/r\"}", NULL,
	           parse("{\"repository\":\"o/r\"}")), TRUST_UNMET, "none");
	is_int(verdict_of(TRUST_GITEA, "{\"repository\":\"o/r\"}", NULL,
	           parse("{\"repository\":\"o/r\",\"event_name\":\"push\"}")), TRUST_MATCHES,
	    "Forgejo's push");
	is_int(verdict_of(TRUST_GITEA, "{\"repository\":\"o/r\"}", NULL,
	           parse("{\"repository\":\"o/r\",\"event_name\":\"pull_request_comment\"}")),
	    TRUST_UNMET, "another of Forgejo's");
	is_int(verdict_of(TRUST_GENERIC, "{\"sub\":\"x\"}", NULL, parse("{\"sub\":\"x\"}")),
	    TRUST_MATCHES, "others have none");
}

/* A rule with one pattern for a token of any other issuer; NULL: no rule may have it. */
static void
test_shapes(void)
{
	static const char claims[] = "{\"sub\":\"s\",\"branchName\":\"main\",\"n\":[7,true,\"x\",null,[\"y\"]],"
	    "\"oidc.ci.org/ssh-rerun\":false,\"a\":{\"b\":{\"c\":\"1\"},\"b/c\":\"2\",\"l\":[\"p\",\"q\"],\"e\":[]},"
	    "\"a/d\":{\"e\":\"3\"},\"a/b\":\"4\",\"a/x\":\"5\",\"none\":null,\"urn:x\":\"6\"}";
	static const struct {
		const char *name;
		const char *pattern;
		enum trust_verdict want;
		const char *why;
	} cases[] = {
		{ "branchName", "main", TRUST_MATCHES, "" },
		{ "branchname", "main", TRUST_UNMET, "the token has no claim `branchname`, which must be `main`" },
		{ "oidc.ci.org/ssh-rerun", "false", TRUST_MATCHES, "" },
		{ "oidc.ci.org/ssh-rerun", "true", TRUST_UNMET,
		    "the token's `oidc.ci.org/ssh-rerun` is `false`, but the rule asks for `true`" },
		{ "urn:x", "6", TRUST_MATCHES, "" },
		/* a list: one element is enough, and a list in it is none */
		{ "n", "7", TRUST_MATCHES, "" },
		{ "n", "true", TRUST_MATCHES, "" },
		{ "n", "x*", TRUST_MATCHES, "" },
		{ "n", "y", TRUST_UNMET, NULL },
		{ "n", "null", TRUST_UNMET, NULL },
		{ "n", "[*", TRUST_UNMET, NULL },
		{ "a/l", "q", TRUST_MATCHES, "" },
		{ "a/l", "r", TRUST_UNMET, "the token's `a/l` is `[\"p\",\"q\"]`, but the rule asks for `r`" },
		{ "a/e", "*", TRUST_UNMET, NULL },
		/* the whole name comes first, then the shortest beginning that is an object with the rest */
		{ "a/b", "4", TRUST_MATCHES, "" },
		{ "a/b/c", "2", TRUST_MATCHES, "" },
		{ "a/b/c", "1", TRUST_UNMET, NULL },
		{ "a/d/e", "3", TRUST_MATCHES, "" },
		{ "a/x/y", "*", TRUST_UNMET, NULL },
		{ "a", "*", TRUST_UNMET, NULL },
		{ "a/", "*", TRUST_UNMET, NULL },
		{ "/a", "*", TRUST_UNMET, NULL },
		{ "none", "*", TRUST_UNMET, NULL },
	};
	static const char *const wrong[] = { "A b", "a=b", "", "caf\303\251", "a'b", "a\\\"b" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json_object *patterns = parse(arena_printf(a, "{\"sub\":\"s\",\"%s\":\"%s\"}", cases[i].name,
		    cases[i].pattern));
		struct err err = { 0 };

		ok(trust_check_patterns(TRUST_GENERIC, patterns, &err) == 0, "%s: a name", cases[i].name);
		is_int(trust_match(a, TRUST_GENERIC, patterns, NULL, parse(claims), &err), cases[i].want,
		    arena_printf(a, "%s=%s", cases[i].name, cases[i].pattern));
		if (cases[i].why != NULL)
			is_str(err.pub, cases[i].why, "and why");
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct err err = { 0 };

		is_int(trust_check_patterns(TRUST_GENERIC, parse(arena_printf(a, "{\"sub\":\"s\",\"%s\":\"x\"}", wrong[i])),
		           &err), -1, arena_printf(a, "no name: %s", wrong[i]));
	}
	is_int(verdict_of(TRUST_GENERIC, "{\"sub\":\"s\"}", NULL, parse("{\"sub\":[\"s\"]}")), TRUST_OTHER,
	    "a list of subjects is none");
}

static void
test_workflow(void)
{
	static const struct {
		const char *ref;
		enum trust_verdict want;
	} cases[] = {
		{ "o/r/.github/workflows/x.yml@refs/heads/main", TRUST_MATCHES },
		{ "o/r/.github/workflows/y.yml@refs/heads/main", TRUST_UNMET },
		{ "o/r/.github/workflows/x.yml@refs/heads/a@refs/b", TRUST_MATCHES },
		{ "o/r/.github/workflows/x.yml@y.yml@refs/heads/main", TRUST_UNMET },
		{ "o/r/.github/workflows/x.yml", TRUST_UNMET },
		{ "x.yml@refs/heads/main", TRUST_MATCHES },
		{ "o/r/x.yml/y.yml@refs/heads/x.yml", TRUST_UNMET },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		is_int(verdict("{\"repository\":\"o/r\",\"workflow\":\"x.yml\"}", NULL,
		           arena_printf(a, "{\"repository\":\"o/r\",\"workflow\":\"x.yml\","
		                           "\"workflow_ref\":\"%s\"}", cases[i].ref)),
		    cases[i].want, cases[i].ref);
}

static void
test_describe(void)
{
	struct trust_job job;

	trust_describe(a, TRUST_GITHUB, "https://token.actions.githubusercontent.com",
	    parse("{\"repository\":\"o/r\",\"run_id\":\"12\",\"sha\":\"ab\",\"jti\":\"secret\"}"), &job);
	is_str(job.job_url, "https://github.com/o/r/actions/runs/12", "GitHub's pages");
	is_str(job.commit, "ab", "the commit");
	is_str(job.claims, "{\"repository\":\"o/r\"}", "what is told later");
	trust_describe(a, TRUST_GITHUB, "https://ghe.example.com/_services/token",
	    parse("{\"repository\":\"o/r\",\"run_id\":12}"), &job);
	is_str(job.job_url, "https://ghe.example.com/o/r/actions/runs/12", "of one's own");
	trust_describe(a, TRUST_GITLAB, "https://host/gitlab",
	    parse("{\"project_path\":\"g/p\",\"job_id\":\"5\",\"pipeline_id\":\"-6\"}"), &job);
	is_str(job.job_url, "https://host/gitlab/g/p/-/jobs/5", "GitLab's pages");
	is_int(job.pipeline, 0, "what is not a number is none");
	trust_describe(a, TRUST_GENERIC, "https://host", parse("{\"sub\":\"x\"}"), &job);
	is_str(job.job_url, NULL, "others have none");
}

/* Patterns that no rule may have. */
static void
test_refused(void)
{
	static const struct {
		const char *patterns, *why;
	} cases[] = {
		{ "[]", "must be an object of patterns" },
		{ "{}", "must have a pattern for `repository`" },
		{ "{\"repository\":\"o/r\",\"\":\"x\"}", "`` is not the name of a claim" },
		{ "{\"repository\":\"o/r\",\"r f\":\"x\"}", "`r f` is not the name of a claim" },
		{ "{\"repository\":\"o/r\",\"exp\":\"x\"}", "`exp` is checked in every token" },
		{ "{\"repository\":\"o/r\",\"ref\":\"\"}", "`ref` must have 1 to 255 bytes" },
		{ "{\"repository\":\"o/r\",\"ref\":null}", "`ref` must have 1 to 255 bytes" },
		{ "{\"repository\":\"o/r\",\"ref\":7}", "`ref` must have 1 to 255 bytes" },
		{ "{\"repository\":\"o/r\",\"ref\":\"a\\tb\"}", "`ref` holds a control character" },
		{ "{\"repository\":\"o/r\",\"ref\":\"a\\u007f\"}", "`ref` holds a control character" },
		{ "{\"repository\":\"/r\"}", "must name the owner" },
		{ "{\"a\":\"1\",\"b\":\"1\",\"c\":\"1\",\"d\":\"1\",\"e\":\"1\",\"f\":\"1\",\"g\":\"1\",\"h\":\"1\","
		  "\"i\":\"1\",\"j\":\"1\",\"k\":\"1\",\"l\":\"1\",\"m\":\"1\",\"n\":\"1\",\"o\":\"1\",\"p\":\"1\","
		  "\"repository\":\"o/r\"}", "at most 16 claims" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = { 0 };

		ok(trust_check_patterns(TRUST_GITHUB, parse(cases[i].patterns), &err) == -1 && err.status == 400,
		    "refused: %s", cases[i].patterns);
		ok(strstr(err.pub, cases[i].why) != NULL, "because %s", err.pub);
	}
}

int
main(void)
{
	a = arena_new();
	test_patterns();
	test_claims();
	test_events();
	test_other_events();
	test_shapes();
	test_workflow();
	test_describe();
	test_refused();
	arena_free(a);
	return tap_done();
}
