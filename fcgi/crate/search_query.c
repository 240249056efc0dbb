#include "crate/search_query.h"

#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

int
search_query_check(struct slice text, struct err *err)
{
	return utf8_length(text) <= SEARCH_QUERY_MAX ? 0
	    : err_set(err, 400, "the query is longer than %d characters", SEARCH_QUERY_MAX);
}

/* Shorter words begin too many others, and have no trigrams of their own. */
enum { BEGINNING_MIN = 3 };

static bool
is_blank(char c)
{
	return c == '+' || c == ' ' || (c >= '\t' && c <= '\r');
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Of a word: letters, digits, and whatever lies outside ASCII. */
static bool
is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

/* Takes a run of bytes of that kind off the text, after what is not.  Empty at its end. */
static struct slice
take_run(struct slice *text, bool (*belongs)(char))
{
	struct slice run;

	while (text->n > 0 && !belongs(text->p[0]))
		*text = slice_of(text->p + 1, text->n - 1);
	run = slice_of(text->p, 0);
	while (run.n < text->n && belongs(run.p[run.n]))
		run.n++;
	*text = slice_of(text->p + run.n, text->n - run.n);
	return run;
}

static bool
is_no_blank(char c)
{
	return !is_blank(c);
}

/* Crates are named in words with dashes between; so is what is looked for. */
static const char *
name_of(struct arena *a, struct slice text)
{
	struct slice part;
	struct buf b;

	buf_init(&b, a, text.n + 1);
	while ((part = take_run(&text, is_no_blank)).n > 0) {
		if (b.n > 0)
			buf_putc(&b, '-');
		for (size_t i = 0; i < part.n; i++)
			buf_putc(&b, part.p[i] == '_' ? '-' : lower(part.p[i]));
	}
	return buf_str(&b);
}

/*
 * Whether an index of trigrams tells enough of it: three letters or digits that stand together, or
 * the first two of a word that begins inside.  One that begins a word is in too many names, and with
 * none of them all would be read.
 */
static bool
has_trigram(const char *name)
{
	size_t run = 0;

	for (const char *p = name; *p != '\0'; p++) {
		run = is_word_byte(*p) && (unsigned char)*p < 0x80 ? run + 1 : 0;
		if (run == BEGINNING_MIN || (run == BEGINNING_MIN - 1 && p - name > 1))
			return true;
	}
	return false;
}

static const char *
like_of(struct arena *a, const char *name)
{
	struct buf b;

	if (!has_trigram(name))
		return NULL;
	buf_init(&b, a, 2 * strlen(name) + 2);
	buf_putc(&b, '%');
	for (const char *p = name; *p != '\0'; p++) {
		if (*p == '%' || *p == '_' || *p == '\\')
			buf_putc(&b, '\\');
		buf_putc(&b, *p);
	}
	buf_putc(&b, '%');
	return buf_str(&b);
}

/* A word holds neither quotes nor backslashes, so that nothing can end it. */
static void
put_word(struct buf *words, struct slice word, bool may_go_on)
{
	buf_puts(words, words->n > 0 ? " & '" : "'");
	buf_put_slice(words, word);
	buf_puts(words, may_go_on && word.n >= BEGINNING_MIN ? "':*" : "'");
}

void
search_query_parse(struct arena *a, struct slice in, struct search_query *q)
{
	struct slice name, word, next;
	struct buf words, begun, text;

	/* around one byte of a word stand at most seven others, and each has one after it */
	buf_init(&words, a, 8 * in.n + 1);
	buf_init(&begun, a, 8 * in.n + 1);
	buf_init(&text, a, in.n + 1);
	q->name = name_of(a, in);
	q->like = like_of(a, q->name);
	name = slice_str(q->name);
	word = take_run(&name, is_word_byte);
	for (int n = 0; n < SEARCH_QUERY_WORDS_MAX && word.n > 0; n++, word = next) {
		next = take_run(&name, is_word_byte);
		put_word(&words, word, true);
		put_word(&begun, word, next.n == 0);
		buf_puts(&text, n > 0 ? " " : "");
		buf_put_slice(&text, word);
	}
	q->words = buf_str(&words);
	q->begun = buf_str(&begun);
	q->text = buf_str(&text);
}
