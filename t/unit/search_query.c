/* crate/search_query: what somebody types, taken apart. */
#include "crate/search_query.h"

#include <string.h>

#include "tap.h"

static struct arena *a;

static void
parses(const char *text, const char *name, const char *like, const char *words, const char *begun,
    const char *plain)
{
	struct search_query q;

	search_query_parse(a, slice_str(text), &q);
	is_str(q.name, name, text);
	is_str(q.like != NULL ? q.like : "(none)", like, "  inside names");
	is_str(q.words, words, "  words");
	is_str(q.begun, begun, "  words, the last one begun");
	is_str(q.text, plain, "  text");
}

int
main(void)
{
	struct search_query q;
	char many[256] = "";

	a = arena_new();
	parses("", "", "(none)", "", "", "");
	parses("  + \t", "", "(none)", "", "", "");
	parses("serde", "serde", "%serde%", "'serde':*", "'serde':*", "serde");
	parses("Serde_JSON", "serde-json", "%serde-json%", "'serde':* & 'json':*",
	    "'serde' & 'json':*", "serde json");
	parses("foo+bar baz", "foo-bar-baz", "%foo-bar-baz%", "'foo':* & 'bar':* & 'baz':*",
	    "'foo' & 'bar' & 'baz':*", "foo bar baz");
	parses("a", "a", "(none)", "'a'", "'a'", "a");
	parses("io", "io", "(none)", "'io'", "'io'", "io");
	parses("foo io", "foo-io", "%foo-io%", "'foo':* & 'io'", "'foo' & 'io'", "foo io");
	parses("a io foo", "a-io-foo", "%a-io-foo%", "'a' & 'io' & 'foo':*", "'a' & 'io' & 'foo':*",
	    "a io foo");
	parses("%", "%", "(none)", "", "", "");
	parses("%_\\", "%-\\", "(none)", "", "", "");
	parses("%_\\a", "%-\\a", "(none)", "'a'", "'a'", "a");
	parses("%_\\ab", "%-\\ab", "%\\%-\\\\ab%", "'ab'", "'ab'", "ab");
	parses("---", "---", "(none)", "", "", "");
	parses("a--", "a--", "(none)", "'a'", "'a'", "a");
	parses("-a-", "-a-", "(none)", "'a'", "'a'", "a");
	parses("a-b", "a-b", "(none)", "'a' & 'b'", "'a' & 'b'", "a b");
	parses("-rs", "-rs", "%-rs%", "'rs'", "'rs'", "rs");
	parses("ab-c", "ab-c", "(none)", "'ab' & 'c'", "'ab' & 'c'", "ab c");
	parses("éé", "éé", "(none)", "'éé':*", "'éé':*", "éé");
	parses("ééé", "ééé", "(none)", "'ééé':*", "'ééé':*", "ééé");
	parses("éa", "éa", "(none)", "'éa':*", "'éa':*", "éa");
	parses("éaé", "éaé", "(none)", "'éaé':*", "'éaé':*", "éaé");
	parses("it's'; DROP", "it's';-drop", "%it's';-drop%", "'it' & 's' & 'drop':*",
	    "'it' & 's' & 'drop':*", "it s drop");
	parses("'':* & !x | <->", "'':*-&-!x-|-<->", "(none)", "'x'", "'x'", "x");
	parses("größe", "größe", "(none)", "'größe':*", "'größe':*", "größe");
	for (int i = 0; i < 20; i++)
		memcpy(many + 2 * i, "w ", 2);
	search_query_parse(a, slice_str(many), &q);
	is_int(strlen(q.text), 2 * SEARCH_QUERY_WORDS_MAX - 1, "no more words than count");
	arena_free(a);
	return tap_done();
}
