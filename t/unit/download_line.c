/* tasks/download_line: what nginx has written, what it may have written, and what it has not. */
#include "tasks/download_line.h"

#include "tap.h"

#define HEAD "1764099000.123 id=0b9c3f5e7a1d24688642d1a7e5f3c9b0 "
#define GET HEAD "method=GET status=200 complete=OK bytes=3456 "

static const struct {
	const char *line;
	enum download_line kind;
} lines[] = {
	{ GET "ids=\"3/17/42 user:7\"", DOWNLOAD_LINE_WHOLE },
	{ GET "ids=\"3/17/42 deploy:8\"", DOWNLOAD_LINE_WHOLE },
	{ GET "ids=\"3/17/42 job:9\"", DOWNLOAD_LINE_WHOLE },
	{ GET "ids=\"3/17/42\"", DOWNLOAD_LINE_WHOLE },
	{ GET "ids=\"3/17/42\" more=1", DOWNLOAD_LINE_WHOLE },
	{ GET "ids=\"3/serde_json/1.0.0+x\"", DOWNLOAD_LINE_WHOLE },
	{ GET "ids=\"3/serde_json/1.0.0+x anyone\"", DOWNLOAD_LINE_WHOLE },
	{ GET "ids=\"3/serde_json/1.0.0+x 00abcdefghijklmnoP\"", DOWNLOAD_LINE_WHOLE },
	{ GET "ids=\"3/serde_json/1.0.0+x 00abcdefghijklmno\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/serde_json/1.0.0+x 00abcdefghijklmno_\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"g3/serde_json/1.0.0+x anyone\"", DOWNLOAD_LINE_WHOLE },
	{ GET "ids=\"g3/17/42\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"g/serde_json/1.0.0\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"h3/serde_json/1.0.0\"", DOWNLOAD_LINE_GARBAGE },
	{ HEAD "method=GET status=206 complete=OK bytes=3456 ids=\"3/17/42\"", DOWNLOAD_LINE_WHOLE },
	{ HEAD "method=HEAD status=200 complete=OK bytes=0 ids=\"3/17/42\"", DOWNLOAD_LINE_OTHER },
	{ HEAD "method=GET status=304 complete=OK bytes=0 ids=\"3/17/42\"", DOWNLOAD_LINE_OTHER },
	{ HEAD "method=GET status=200 complete= bytes=99 ids=\"3/17/42\"", DOWNLOAD_LINE_OTHER },
	{ HEAD "method=GET status=404 complete=OK bytes=10 ids=\"\"", DOWNLOAD_LINE_OTHER },
	{ GET "ids=\"\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"-\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"/\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17/\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17/0\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17/42/5\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"x/17/42\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17/1.0.0\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/serde/1.0/0\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/ser\\x22de/1.0.0\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17/42 \"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17/42 user:\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17/42 user\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17/42 admin:7\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17/42 anybody:7\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17/42 user:7:8\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17/42 user:-7\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17/42 user:9999999999999999999\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"9999999999999999999/17/42\"", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17/42", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=\"3/17/42\"more", DOWNLOAD_LINE_GARBAGE },
	{ GET "ids=3/17/42", DOWNLOAD_LINE_GARBAGE },
	{ GET "", DOWNLOAD_LINE_GARBAGE },
	{ HEAD "method=GET status=200 bytes=1 ids=\"3/17/42\"", DOWNLOAD_LINE_GARBAGE },
	{ HEAD "status=200 method=GET complete=OK bytes=1 ids=\"3/17/42\"", DOWNLOAD_LINE_GARBAGE },
	{ HEAD "method=GET status=2x0 complete=OK bytes=1 ids=\"3/17/42\"", DOWNLOAD_LINE_GARBAGE },
	{ HEAD "method=GET status=200 complete=OK bytes=-1 ids=\"3/17/42\"", DOWNLOAD_LINE_GARBAGE },
	{ "17640 id=x method=GET status=200 complete=OK bytes=1 ids=\"3/17/42\"", DOWNLOAD_LINE_GARBAGE },
	{ " " GET "ids=\"3/17/42\"", DOWNLOAD_LINE_GARBAGE },
	{ "2026-11-25T19:34:41+00:00 id=x method=GET status=200 bytes=1 ids=\"3/17/42\"",
	    DOWNLOAD_LINE_GARBAGE },
	{ "", DOWNLOAD_LINE_GARBAGE },
	{ "x", DOWNLOAD_LINE_GARBAGE },
};

int
main(void)
{
	struct download d;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		is_int(download_line_parse(slice_str(lines[i].line), &d), lines[i].kind, lines[i].line);

	(void)download_line_parse(slice_str(lines[0].line), &d);
	is_int(d.at, 1764099000, "seconds");
	is_int(d.bytes, 3456, "bytes");
	is_int(d.project_id, 3, "project");
	is_int(d.version_id, 42, "version");
	is_int(d.crate.n + d.version.n, 0, "no names");
	is_int(d.actor, DOWNLOAD_USER, "a user");
	is_int(d.actor_id, 7, "with that number");
	(void)download_line_parse(slice_str(lines[1].line), &d);
	is_str(download_actor_names[d.actor], "deploy", "a deploy token");
	(void)download_line_parse(slice_str(lines[2].line), &d);
	is_str(download_actor_names[d.actor], "job", "a job");
	(void)download_line_parse(slice_str(lines[5].line), &d);
	is_int(d.version_id, 0, "by names");
	ok(slice_is(d.crate, "serde_json"), "the crate");
	ok(slice_is(d.version, "1.0.0+x"), "the version");
	is_int(d.actor, DOWNLOAD_ANYBODY, "for anybody");
	is_int(d.actor_id, 0, "who has no number");
	is_int(download_line_parse(slice_of(NULL, 0), &d), DOWNLOAD_LINE_GARBAGE, "nothing at all");
	is_int(download_line_parse(slice_of("1.1\0id=", 7), &d), DOWNLOAD_LINE_GARBAGE, "a NUL");
	return tap_done();
}
