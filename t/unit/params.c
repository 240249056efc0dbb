/* call/params and call/pagination: what a management call says, and in how many pages it is answered. */
#include "call/params.h"

#include "call/pagination.h"
#include "fake_fcgi.h"
#include "tap.h"

#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"

static struct arena *arena;
static struct fcgi_conn conn;
static struct request rq;
static struct params params;

static int
send_path(const char *uri, const char *type, const char *body)
{
	static char length[24];
	size_t n = strlen(body);

	arena_reset(arena);
	memset(&conn, 0, sizeof(conn));
	snprintf(length, sizeof(length), "%zu", n);
	conn.params[0] = "REQUEST_URI";
	conn.params[1] = uri;
	conn.params[2] = "CONTENT_LENGTH";
	conn.params[3] = length;
	if (type != NULL) {
		conn.params[4] = "CONTENT_TYPE";
		conn.params[5] = type;
	}
	conn.body = body;
	conn.body_n = n;
	conn.piece = 7;
	if (request_read(&rq, arena, &conn, 60) == -1)
		return -1;
	return params_read(&rq, &params);
}

static int
send(const char *query, const char *type, const char *body)
{
	static char uri[REQUEST_QUERY_MAX];

	snprintf(uri, sizeof(uri), "/x?%s", query);
	return send_path(uri, type, body);
}

/* The text of a parameter, "-" where there is none, the status where it is refused. */
static const char *
text_of(const char *name)
{
	static char status[8];
	const char *text = "-";

	rq.err = (struct err) { 0 };
	if (params_str(&params, name, &text) == 0)
		return text;
	snprintf(status, sizeof(status), "%d", rq.err.status);
	return status;
}

static void
test_text(void)
{
	static const struct {
		const char *query, *type, *body, *want;
	} cases[] = {
		{ "", NULL, "", "-" },
		{ "a=1", NULL, "", "1" },
		{ "b=1&a=x+y%21&a=2", NULL, "", "x y!" },
		{ "a=", NULL, "", "" },
		{ "a", NULL, "", "" },
		{ "a=%00", NULL, "", "400" },
		{ "a=%ff", NULL, "", "400" },
		{ "a=%4", NULL, "", "400" },
		{ "", FORM, "a=b%20c", "b c" },
		{ "a=q", FORM, "a=b", "b" },
		{ "a=q", FORM "; charset=UTF-8", "c=b", "q" },
		{ "", JSON, "{\"a\":\"b\"}", "b" },
		{ "", NULL, "{\"a\":\"b\"}", "b" },
		{ "", JSON ";charset=utf-8", "{\"a\":17}", "17" },
		{ "", JSON, "{\"a\":-17}", "-17" },
		{ "", JSON, "{\"a\":9223372036854775808}", "9223372036854775808" },
		{ "", JSON, "{\"a\":true}", "true" },
		{ "", JSON, "{\"a\":null}", "-" },
		{ "a=q", JSON, "{\"a\":null}", "-" },
		{ "", JSON, "{\"a\":[1]}", "400" },
		{ "", JSON, "{\"a\":{}}", "400" },
		{ "", JSON, "{\"a\":1.5}", "400" },
		{ "", JSON, "{\"b\":{}}", "-" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		is_int(send(cases[i].query, cases[i].type, cases[i].body), 0, "the call is read");
		is_str(text_of("a"), cases[i].want, cases[i].body[0] ? cases[i].body : cases[i].query);
	}
}

static void
test_bodies_refused(void)
{
	static const struct {
		const char *type, *body;
		int status;
	} cases[] = {
		{ JSON, "{", 400 },
		{ JSON, "[]", 400 },
		{ JSON, "1", 400 },
		{ JSON, "{\"a\":1,\"a\":2}", 400 },
		{ JSON, "{} {}", 400 },
		{ "text/plain", "a=b", 415 },
		{ "application/jsonx", "{}", 415 },
		{ "multipart/form-data; boundary=x", "--x--", 415 },
	};
	static char large[PARAMS_BODY_MAX + 2];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		is_int(send("", cases[i].type, cases[i].body), -1, cases[i].body);
		is_int(rq.err.status, cases[i].status, "  its status");
	}
	memset(large, 'a', PARAMS_BODY_MAX);
	is_int(send("", FORM, large), 0, "a body as large as may be");
	large[PARAMS_BODY_MAX] = 'a';
	is_int(send("", FORM, large), -1, "and one byte more");
	is_int(rq.err.status, 413, "  its status");
	large[PARAMS_TEXT_MAX + 2] = '\0';
	large[1] = '=';
	is_int(send("", FORM, large), 0, "a value as long as may be");
	is_int((int)strlen(text_of("a")), PARAMS_TEXT_MAX, "  is there");
	large[PARAMS_TEXT_MAX + 2] = 'a';
	large[PARAMS_TEXT_MAX + 3] = '\0';
	is_int(send("", FORM, large), 0, "a value that is longer");
	is_str(text_of("a"), "400", "  is refused");
}

static void
test_kinds(void)
{
	static const char *const words[] = { "asc", "desc" };
	int64_t n = -7;
	bool flag = true;
	size_t word = 1;
	const char *text = "as it was";

	is_int(send("n=5&big=9999999999999999999&word=asc&no=false&one=1&e=", NULL, ""), 0, "a call");
	is_int(params_int(&params, "n", 5, 5, &n), 0, "a number");
	is_int(n, 5, "  is read");
	is_int(params_int(&params, "none", 1, 2, &n), 0, "none");
	is_int(n, 5, "  changes nothing");
	is_int(params_int(&params, "n", 6, 9, &n), -1, "a number that is too small");
	is_int(rq.err.status, 400, "  is the caller's mistake");
	is_str(rq.err.pub, "n must be a number from 6 to 9", "  and says so");
	rq.err = (struct err) { 0 };
	is_int(params_int(&params, "n", 1, 4, &n), -1, "one that is too large");
	rq.err = (struct err) { 0 };
	is_int(params_int(&params, "big", 1, INT64_MAX, &n), -1, "one that no number holds");
	rq.err = (struct err) { 0 };
	is_int(params_int(&params, "e", 1, 4, &n), -1, "none at all");
	rq.err = (struct err) { 0 };
	is_int(params_word(&params, "word", words, 2, &word), 0, "a word");
	is_int((int)word, 0, "  is read");
	is_int(params_word(&params, "n", words, 2, &word), -1, "another word");
	is_str(rq.err.pub, "n does not have a valid value", "  is refused");
	rq.err = (struct err) { 0 };
	is_int(params_bool(&params, "no", &flag), 0, "false");
	ok(!flag, "  is read");
	is_int(params_bool(&params, "one", &flag), 0, "1");
	ok(flag, "  is true");
	is_int(params_bool(&params, "none", &flag), 0, "none");
	ok(flag, "  changes nothing");
	is_int(params_bool(&params, "word", &flag), -1, "asc is neither");
	rq.err = (struct err) { 0 };
	is_int(params_required(&params, "e", &text), -1, "an empty one that must be there");
	is_str(rq.err.pub, "e is missing", "  is missed");
	rq.err = (struct err) { 0 };
	is_int(params_required(&params, "word", &text), 0, "one that is");
	is_str(text, "asc", "  is read");
	ok(params_has(&params, "e") && !params_has(&params, "none"), "what is there and what is not");
	is_int(send("", JSON, "{\"a\":null}"), 0, "a null");
	ok(params_has(&params, "a") && !params_has(&params, "b"), "  is there");
	ok(!params_gives(&params, "a"), "  and is no value");
	is_int(params_refuse(&params, "a"), 0, "  so nobody refuses it");
	is_int(send("", JSON, "{\"a\":[1]}"), 0, "a list");
	is_int(params_refuse(&params, "a"), -1, "  is refused");
	rq.err = (struct err) { 0 };
}

static const char *
list_of(const char *query, const char *type, const char *body)
{
	static char out[256];
	const char *const *items = NULL;
	size_t n = 99, at = 0;

	if (send(query, type, body) == -1 || params_list(&params, "a", &items, &n) == -1) {
		snprintf(out, sizeof(out), "%d", rq.err.status);
		return out;
	}
	if (n == 99)
		return "none";
	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(out + at, sizeof(out) - at, "<%s>", items[i]);
	return out;
}

static void
test_lists(void)
{
	static char many[8 * PARAMS_LIST_MAX];
	const char *const *items;
	size_t n = 0;

	is_str(list_of("", NULL, ""), "none", "no list");
	is_str(list_of("a=x", NULL, ""), "<x>", "one text");
	is_str(list_of("a=x,y,,z", NULL, ""), "<x><y><><z>", "one with commas");
	is_str(list_of("a=", NULL, ""), "", "an empty one");
	is_str(list_of("a[]=x&a%5B%5D=y", NULL, ""), "<x><y>", "brackets");
	is_str(list_of("", FORM, "a[]=x&b=1&a[]=y"), "<x><y>", "brackets of a form");
	is_str(list_of("a[]=1&a[]=2&a[]=3", FORM, "a[]=x&a[]=y"), "<x><y>", "a form, before those of the query");
	is_str(list_of("a[]=1&a[]=2", FORM, "b[]=x"), "<1><2>", "of the query, beside a form without them");
	is_str(list_of("", JSON, "{\"a\":[\"x\",1]}"), "<x><1>", "an array");
	is_str(list_of("", JSON, "{\"a\":[]}"), "", "an empty array");
	is_str(list_of("", JSON, "{\"a\":\"x,y\"}"), "<x><y>", "text of JSON");
	is_str(list_of("", JSON, "{\"a\":null}"), "none", "null");
	is_str(list_of("", JSON, "{\"a\":[null]}"), "400", "an entry that is null");
	is_str(list_of("", JSON, "{\"a\":[[]]}"), "400", "an entry that is a list");
	is_str(list_of("a[]=%00", NULL, ""), "400", "an entry that is malformed");
	for (size_t i = 0; i < PARAMS_LIST_MAX; i++)
		memcpy(many + strlen(many), "a[]=x&", sizeof("a[]=x&"));
	is_int(send("", FORM, many), 0, "many entries");
	is_int(params_list(&params, "a", &items, &n), 0, "  are read");
	is_int((int)n, PARAMS_LIST_MAX, "  all of them");
	memcpy(many + strlen(many), "a[]=x", sizeof("a[]=x"));
	is_str(list_of("", FORM, many), "400", "but no more");
}

/* The text, "none", or the error. */
static const char *
words_of(const char *query, const char *body)
{
	const char *words = "none";

	if (send(query, body != NULL ? JSON : NULL, body != NULL ? body : "") == -1 ||
	    params_words(&params, "a", &words) == -1)
		return rq.err.pub;
	return words;
}

static int64_t
date_of(const char *query)
{
	int64_t date = -1;

	if (send(query, NULL, "") == -1 || params_date(&params, "a", &date) == -1)
		return rq.err.status;
	return date;
}

static void
test_words_and_dates(void)
{
	is_str(words_of("", NULL), "none", "no words");
	is_str(words_of("a=x", NULL), "x", "one word");
	is_str(words_of("a=x,y", NULL), "x,y", "two, with a comma between");
	is_str(words_of("a[]=x&a[]=y", NULL), "x,y", "two, one after the other");
	is_str(words_of("", "{\"a\":[\"x\",\"y\"]}"), "x,y", "two of JSON");
	is_str(words_of("", "{\"a\":[]}"), "a is empty; give at least one value", "an empty list");
	is_str(words_of("a=", NULL), "a is empty; give at least one value", "an empty text");
	is_str(words_of("a=x,,y", NULL), "a must not have an empty entry", "an empty word");
	is_int(date_of(""), -1, "no date");
	is_int(date_of("a="), -1, "an empty one");
	is_int(date_of("a=1971-01-02"), 366 * 86400, "a day");
	is_int(date_of("a=1970-01-01"), 400, "one that would be no date");
	is_int(date_of("a=tomorrow"), 400, "a word");
}

static const char *
header_of(const struct response *rs, const char *name)
{
	for (size_t i = 0; i < rs->nheaders; i++) {
		if (strcmp(rs->headers[i].name, name) == 0)
			return rs->headers[i].value;
	}
	return NULL;
}

#define U "https://r.example/x"

static void
test_pages(void)
{
	static const struct {
		const char *query;
		int64_t total;
		const char *next, *prev, *pages, *link;
	} cases[] = {
		{ "", 0, "", "", "1", "<" U "?page=1>; rel=\"first\", <" U "?page=1>; rel=\"last\"" },
		{ "", 20, "", "", "1", "<" U "?page=1>; rel=\"first\", <" U "?page=1>; rel=\"last\"" },
		{ "per_page=2&page=2&q=a+b", 5, "3", "1", "3",
		    "<" U "?per_page=2&q=a+b&page=1>; rel=\"prev\", "
		    "<" U "?per_page=2&q=a+b&page=3>; rel=\"next\", "
		    "<" U "?per_page=2&q=a+b&page=1>; rel=\"first\", "
		    "<" U "?per_page=2&q=a+b&page=3>; rel=\"last\"" },
		{ "page=9&per_page=5&<\"", 10, "", "", "2",
		    "<" U "?per_page=5&%3C%22&page=1>; rel=\"first\", "
		    "<" U "?per_page=5&%3C%22&page=2>; rel=\"last\"" },
	};
	static const struct settings settings = { .external_url = "https://r.example" };
	static char longest[REQUEST_QUERY_MAX];
	struct worker_app app = { .settings = &settings };
	struct response rs;
	struct pagination page;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		is_int(send(cases[i].query, NULL, ""), 0, cases[i].query);
		is_int(pagination_read(&params, &page), 0, "  its page");
		response_init(&rs, arena);
		pagination_headers(&app, &rq, &rs, &page, cases[i].total);
		is_str(header_of(&rs, "Link"), cases[i].link, "  Link");
		is_str(header_of(&rs, "X-Next-Page"), cases[i].next, "  X-Next-Page");
		is_str(header_of(&rs, "X-Prev-Page"), cases[i].prev, "  X-Prev-Page");
		is_str(header_of(&rs, "X-Total-Pages"), cases[i].pages, "  X-Total-Pages");
	}
	is_int(send("per_page=1000", NULL, ""), 0, "a large page");
	is_int(pagination_read(&params, &page), 0, "  is read");
	is_int((int)page.size, PAGINATION_MAX, "  as the largest");
	is_int((int)pagination_offset(&page), 0, "  the first");
	for (const char *const *q = (const char *const[]) { "page=0", "page=-1", "page=x",
		 "page=1000000001", "per_page=0", "page=", NULL }; *q != NULL; q++) {
		is_int(send(*q, NULL, ""), 0, *q);
		is_int(pagination_read(&params, &page), -1, "  is refused");
		is_int(rq.err.status, 400, "  its status");
	}
	memset(longest, 'q', sizeof(longest) - 8);
	is_int(send(longest, NULL, ""), 0, "a long query");
	is_int(pagination_read(&params, &page), 0, "  its page");
	response_init(&rs, arena);
	pagination_headers(&app, &rq, &rs, &page, 100);
	ok(header_of(&rs, "Link") == NULL, "  makes no Link that nginx would not take");
	is_str(header_of(&rs, "X-Next-Page"), "2", "  but the rest");
}

int
main(void)
{
	arena = arena_new();
	test_text();
	test_bodies_refused();
	test_kinds();
	test_lists();
	test_words_and_dates();
	test_pages();
	arena_free(arena);
	return tap_done();
}
