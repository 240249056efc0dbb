/* store/flag: what the rows say, for which projects. */
#include "store/flag.h"

#include "tap.h"

#define CARGO "package_registry_cargo_support"

static const struct {
	const char *name, *rows;
	enum flag flag;
	bool on;
} cases[] = {
	{ "no flag", CARGO "=0", FLAG_NONE, true },
	{ "nothing is said", NULL, FLAG_CARGO, true },
	{ "nothing of this one", "search=0 owners:0", FLAG_CARGO, true },
	{ "off for all", CARGO "=0", FLAG_CARGO, false },
	{ "on for all", CARGO "=100", FLAG_CARGO, true },
	{ "off for this project", CARGO "=100 " CARGO ":0", FLAG_CARGO, false },
	{ "on for this project", CARGO "=0 " CARGO ":100", FLAG_CARGO, true },
	{ "in the other order", CARGO ":100 " CARGO "=0", FLAG_CARGO, true },
	{ "among others", "a=0 search=0 " CARGO ":0 zzz=100", FLAG_SEARCH, false },
	{ "a name that begins alike", "search_more=0 searc=0 sear:0", FLAG_SEARCH, true },
	{ "what it needs is off", CARGO "=0 search=100", FLAG_SEARCH, false },
	{ "what it needs is off here", "search:100 " CARGO ":0", FLAG_OWNERS, false },
	{ "what does not need it", CARGO "=0", FLAG_PACKAGES_API, true },
	{ "an empty name is none", "=0 :0", FLAG_CARGO, true },
};

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ok(flag_is_on(cases[i].flag, cases[i].rows, 7) == cases[i].on, "%s", cases[i].name);
}

static void
test_percentages(void)
{
	enum { PROJECTS = 10000 };
	int in_ten = 0, in_fifty = 0, both = 0, shared = 0;
	char first[21];

	for (int64_t id = 1; id <= PROJECTS; id++) {
		bool ten = flag_is_on(FLAG_CARGO, CARGO "=10", id);
		bool fifty = flag_is_on(FLAG_CARGO, CARGO "=50", id);

		in_ten += ten;
		in_fifty += fifty;
		both += ten && fifty;
		shared += ten && flag_is_on(FLAG_PACKAGES_API, "packages_api=10", id);
		if (id < (int64_t)sizeof(first)) {
			first[id - 1] = fifty ? '1' : '0';
			first[id] = '\0';
		}
	}
	ok(in_ten > 900 && in_ten < 1100, "10%% are about a tenth: %d", in_ten);
	ok(in_fifty > 4800 && in_fifty < 5200, "50%% about a half: %d", in_fifty);
	ok(both == in_ten, "who is in at 10%% is at 50%%");
	ok(shared < 200, "another flag has other projects: %d", shared);
	is_str(first, "10000001001111010001", "the same ones for ever");
	ok(flag_is_on(FLAG_PACKAGES_API, "packages_api=1", 0), "a group is in as soon as some are");
	ok(!flag_is_on(FLAG_PACKAGES_API, "packages_api=0", 0), "not where none are");
}

static void
test_parse(void)
{
	static const struct {
		const char *text;
		int percentage; /* -1: 400 */
	} words[] = { { "on", 100 }, { "off", 0 }, { "0%", 0 }, { "7%", 7 }, { "100%", 100 },
		{ "007%", 7 }, { "101%", -1 }, { "99999999999999999999%", -1 }, { "%", -1 },
		{ "", -1 }, { "7", -1 }, { "7%%", -1 }, { "-1%", -1 }, { "ON", -1 }, { "1.5%", -1 } };
	enum flag flag;
	struct err err;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		int percentage = -1;
		struct err wrong = { 0 };
		int rc = flag_parse_percentage(words[i].text, &percentage, &wrong);

		ok(percentage == words[i].percentage && (rc == -1) == (wrong.status == 400), "`%s`",
		    words[i].text);
	}
	ok(flag_find("search", &flag, &err) == 0 && flag == FLAG_SEARCH, "a name that is one");
	ok(flag_find("", &flag, &err) == -1 && err.status == 400, "none");
	for (int i = FLAG_NONE + 1; i < FLAG__MAX; i++)
		ok(flag_find(flag_kinds[i].name, &flag, &err) == 0 && (int)flag == i, "%s",
		    flag_kinds[i].name);
}

int
main(void)
{
	test_rows();
	test_percentages();
	test_parse();
	return tap_done();
}
