/* crate/retention: what goes, and what never does. */
#include "crate/retention.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

enum { DAY = 86400, NOW = 1000 * DAY, MAX = 16 };

/*
 * Versions, oldest first: "1.0.0@100" was published that many days ago, "/20" last used 20 days ago,
 * "!" it is yanked.  `want` is what goes: p a pre-release, u unused, . stays.
 */
static const struct {
	const char *name;
	int64_t keep_prereleases, unused_days, keep_newest;
	const char *versions, *want;
} cases[] = {
	{ "nothing is asked for", -1, -1, 1, "1.0.0-a@900 1.0.0-b@800 1.0.0@700 1.1.0@600", "...." },
	{ "two pre-releases", 2, -1, 1, "1.0.0-a@9 1.0.0-b@8 1.0.0-c@7 1.0.0-d@6 1.0.0@5", "pp..." },
	{ "none, but the newest stays", 0, -1, 1, "1.0.0-a@9 1.0.0-b@8 1.0.0-c@7", "pp." },
	{ "none of those before", 0, -1, 1, "1.0.0-a@9 1.0.0@8 1.1.0-a@7 1.1.0@6", "p.p." },
	{ "newest by publication", 1, -1, 1, "2.0.0-b@9 2.0.0-a@8 1.0.0@7", "p.." },
	{ "unused", -1, 30, 1, "1.0.0@100 1.1.0@90 1.2.0@29 1.3.0@20", "uu.." },
	{ "the day itself", -1, 30, 1, "1.0.0@31 1.1.0@30 1.2.0@29 1.3.0@1", "uu.." },
	{ "used of late", -1, 30, 1, "1.0.0@100/29 1.1.0@100/30 1.2.0@99", ".u." },
	{ "used before it was published", -1, 30, 1, "1.0.0@20/100 1.1.0@10", ".." },
	{ "the only one", 0, 1, 1, "1.0.0-a@900", "." },
	{ "the newest and the latest stable", -1, 30, 1, "2.0.0@100 1.0.1@90 1.0.2@80", ".u." },
	{ "a yanked one is not the latest", -1, 30, 1, "1.0.0@100 2.0.0!@90 0.9.0@80", ".u." },
	{ "unless all are", -1, 30, 1, "1.0.0!@100 2.0.0!@90 0.9.0!@80", "u.." },
	{ "at least three", 0, 30, 3, "1.0.0@100 1.1.0-a@99 1.1.0-b@98 1.1.0@97", "u..." },
	{ "more than there are", 0, 1, 1000000, "1.0.0@100 1.1.0@99", ".." },
	{ "both reasons", 1, 30, 1, "1.0.0-a@100 1.0.0-b@99 1.0.0@98 1.1.0@97 1.1.1@1", "puuu." },
	{ "what is no version", 0, 1, 1, "one@100 1.0.0@99 1.1.0@98", ".u." },
	{ "for ever", -1, INT64_MAX, 1, "1.0.0@100 1.1.0@99", ".." },
};

/* Of 30 days, where downloads were counted only from and to so many days ago; -1: never. */
static const struct {
	const char *name;
	int from, to;
	const char *versions, *want;
} counted[] = {
	{ "nobody counts", -1, 0, "1.0.0@100 1.1.0@90", ".." },
	{ "for too short a time", 29, 0, "1.0.0@100 1.1.0@90", ".." },
	{ "for long enough", 30, 0, "1.0.0@100 1.1.0@90", "u." },
	{ "no more", 900, 70, "1.0.0@100 1.1.0@99 1.2.0@98", "u.." },
	{ "not yet", -40, 0, "1.0.0@100 1.1.0@90", ".." },
};

static size_t
parse(char *text, struct retention_version *v)
{
	size_t n = 0;
	char *save = NULL;

	for (char *word = strtok_r(text, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
		char *days = strchr(word, '@'), *used = strchr(word, '/');

		v[n] = (struct retention_version) { .version = word,
			.yanked = strchr(word, '!') != NULL };
		v[n].published_at = NOW - strtol(days + 1, NULL, 10) * DAY;
		if (used != NULL)
			v[n].last_used_at = NOW - strtol(used + 1, NULL, 10) * DAY;
		word[strcspn(word, "!@")] = '\0';
		n++;
	}
	return n;
}

static void
judges(const struct retention_policy *policy, const char *versions, const char *want,
    const char *name)
{
	static const char letters[] = { '.', 'p', 'u' };
	struct retention_version v[MAX];
	char *text = strdup(versions);
	size_t n = parse(text, v);
	char got[MAX + 1] = "";

	retention_judge(policy, v, n, NOW);
	for (size_t k = 0; k < n; k++)
		got[k] = letters[v[k].why];
	is_str(got, want, name);
	free(text);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct retention_policy policy = { cases[i].keep_prereleases,
			cases[i].unused_days, cases[i].keep_newest, 1, NOW };

		judges(&policy, cases[i].versions, cases[i].want, cases[i].name);
	}
	for (size_t i = 0; i < sizeof(counted) / sizeof(*counted); i++) {
		const struct retention_policy policy = { RETENTION_ALL, 30, 1,
			counted[i].from == -1 ? 0 : NOW - counted[i].from * DAY,
			NOW - counted[i].to * DAY };

		judges(&policy, counted[i].versions, counted[i].want, counted[i].name);
	}
	retention_judge(&(struct retention_policy) { 0, 1, 1, 1, NOW }, NULL, 0, NOW);
	ok(true, "no version at all");
	return tap_done();
}
