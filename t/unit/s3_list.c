/* Lists of the objects in an object store. */

#include "net/s3_list.h"

#include "tap.h"

#define ENTRY(key, size) "<Contents><Key>" key "</Key><Size>" size "</Size>" \
	"<LastModified>2009-10-12T17:50:30.000Z</LastModified><Owner><ID>x</ID></Owner></Contents>"

#define LIST(entries) "<ListBucketResult>" entries "</ListBucketResult>"

static struct arena *a;

static int
parse(const char *xml, struct s3_page *page)
{
	struct err err = { 0 };

	return s3_list_parse(a, slice_str(xml), page, &err);
}

static void
refused(const char *xml, const char *name)
{
	struct s3_page page;

	is_int(parse(xml, &page), -1, name);
}

int
main(void)
{
	struct s3_page page;

	a = arena_new();
	is_int(parse("<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
	    "<Name>b</Name><KeyCount>2</KeyCount><IsTruncated>true</IsTruncated>" ENTRY("a/b&amp;c", "7")
	    ENTRY("d", "0") "</ListBucketResult>", &page), 0, "a list");
	is_int(page.n, 2, "has two entries");
	is_str(page.entries[0].key, "a/b&c", "with their keys");
	is_int(page.entries[0].size, 7, "sizes");
	is_int(page.entries[0].modified, 1255369830, "and times");
	ok(page.more, "and goes on");
	is_int(parse("<ListBucketResult/>", &page), 0, "an empty one");
	ok(page.n == 0 && !page.more, "is empty");
	refused("<html><body><p>It works</p></body></html>", "a page of a web server");
	refused("<Error><Code>SlowDown</Code></Error>", "an error");
	refused("", "nothing");
	refused("<ListBucketResult>", "a half");
	refused(LIST("<Contents><Size>1</Size></Contents>"), "an entry without a key");
	refused(LIST(ENTRY("a", "-1")), "a size below 0");
	refused(LIST(ENTRY("a", "99999999999999999999")), "a size beyond all");
	refused(LIST("<Contents><Contents></Contents></Contents>"), "an entry in an entry");
	refused("<!DOCTYPE L [<!ENTITY a \"aaaa\">]>" LIST("&a;"), "a document type");
	arena_free(a);
	return tap_done();
}
