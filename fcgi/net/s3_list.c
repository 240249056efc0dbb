#include "net/s3_list.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <expat.h>

#include "base/buf.h"

enum { TEXT_MAX = S3_KEY_MAX };

struct reader {
	XML_Parser xml;
	struct arena *arena;
	struct s3_page *page;
	struct buf text; /* of the element that was begun last */
	bool in_list, in_entry, bad;
};

static void
fail(struct reader *r)
{
	r->bad = true;
	(void)XML_StopParser(r->xml, XML_FALSE);
}

/* A list has no document type; without one there are no entities that grow. */
static void
begin_doctype(void *arg, const char *name, const char *system, const char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	fail(arg);
}

static void
begin(void *arg, const char *name, const char **attributes)
{
	struct reader *r = arg;

	(void)attributes;
	buf_reset(&r->text);
	/* any other document, such as a page of a web server, would be an empty list */
	if (!r->in_list && strcmp(name, "ListBucketResult") != 0)
		fail(r);
	r->in_list = true;
	if (strcmp(name, "Contents") != 0)
		return;
	if (r->in_entry || r->page->n == S3_PAGE_MAX) {
		fail(r);
		return;
	}
	r->in_entry = true;
	r->page->entries[r->page->n] = (struct s3_entry) { .key = NULL };
}

static void
add_text(void *arg, const char *p, int n)
{
	struct reader *r = arg;

	buf_put(&r->text, p, (size_t)n);
}

/* "2009-10-12T17:50:30.000Z"; what is behind the seconds is cut off. */
static bool
read_time(const char *text, int64_t *seconds)
{
	struct tm tm = { 0 };

	if (strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
		return false;
	*seconds = timegm(&tm);
	return true;
}

static bool
read_size(const char *text, int64_t *size)
{
	enum { DIGITS_MAX = 18 };
	size_t n = strspn(text, "0123456789");

	*size = strtoll(text, NULL, 10);
	return n > 0 && n <= DIGITS_MAX && text[n] == '\0';
}

static void
end(void *arg, const char *name)
{
	struct reader *r = arg;
	struct s3_entry *e = &r->page->entries[r->page->n];
	bool good = true;

	if (r->in_entry && strcmp(name, "Key") == 0) {
		good = r->text.n > 0 && !buf_full(&r->text);
		e->key = arena_slicedup(r->arena, buf_slice(&r->text));
	} else if (r->in_entry && strcmp(name, "Size") == 0) {
		good = read_size(buf_str(&r->text), &e->size);
	} else if (r->in_entry && strcmp(name, "LastModified") == 0) {
		good = read_time(buf_str(&r->text), &e->modified);
	} else if (r->in_entry && strcmp(name, "Contents") == 0) {
		r->in_entry = false;
		good = e->key != NULL;
		r->page->n++;
	} else if (!r->in_entry && strcmp(name, "IsTruncated") == 0) {
		r->page->more = slice_is(buf_slice(&r->text), "true");
	}
	buf_reset(&r->text);
	if (!good)
		fail(r);
}

int
s3_list_parse(struct arena *a, struct slice xml, struct s3_page *page, struct err *err)
{
	struct reader r = { .xml = XML_ParserCreate(NULL), .arena = a, .page = page };
	enum XML_Status status;

	*page = (struct s3_page) { .entries = arena_calloc(a, S3_PAGE_MAX + 1, sizeof(*page->entries)) };
	buf_init(&r.text, a, TEXT_MAX);
	if (r.xml == NULL)
		return err_internal(err, 503, "expat does not start");
	XML_SetUserData(r.xml, &r);
	XML_SetStartDoctypeDeclHandler(r.xml, begin_doctype);
	XML_SetElementHandler(r.xml, begin, end);
	XML_SetCharacterDataHandler(r.xml, add_text);
	status = XML_Parse(r.xml, xml.p, (int)xml.n, 1);
	XML_ParserFree(r.xml);
	return status == XML_STATUS_OK && !r.bad ? 0
	    : err_internal(err, 503, "the object store's answer is not a list of objects, or the list is malformed");
}
