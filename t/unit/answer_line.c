/* tasks/answer_line: the lines that nginx logs for reads that it answers by itself. */
#include "tasks/answer_line.h"

#include "tap.h"

#define HEAD "2026-11-29T07:00:00+00:00 id=0b9c3f5e7a1d2468 remote=192.0.2.1 method=GET path=\""
#define REST "\" status=200 bytes=345 s=0.000 pool_s=- protocol=HTTP/2.0 agent=\"cargo/1.90.0\""
#define ROOT "/api/v4/projects/1/packages/cargo/"

static const struct {
	const char *line;
	enum answer_route route;
} lines[] = {
	{ HEAD ROOT "se/rd/serde" REST, ANSWER_INDEX },
	{ HEAD ROOT "1/a" REST, ANSWER_INDEX },
	{ HEAD ROOT "3/a/abc" REST, ANSWER_INDEX },
	{ HEAD ROOT "do/wn/download" REST, ANSWER_INDEX },
	{ HEAD ROOT "config.json" REST, ANSWER_CONFIG_JSON },
	{ HEAD ROOT "serde/1.0.0/download" REST, ANSWER_DOWNLOAD },
	{ HEAD ROOT "serde/1.0.0-a+b/download" REST, ANSWER_DOWNLOAD },
	{ HEAD ROOT "download/1.0.0/download" REST, ANSWER_DOWNLOAD },
	{ HEAD "/-/projects/demo/many/-/crates/serde" REST, ANSWER_PAGE_CRATE },
	{ HEAD "/cargo/-/projects/demo/many/-/crates/serde/1.0.0" REST, ANSWER_PAGE_VERSION },
	{ HEAD "/-/projects/demo/many/-/crates/" REST, ANSWER__ROUTES },
	{ HEAD ROOT "serde/1.0.0/download\" status=500 bytes=57 s=0.000 pool_s=0.001", ANSWER_ERROR },
	{ HEAD "/api/v4/projects\" status=502 bytes=57 s=0.000 pool_s=0.000", ANSWER_ERROR },
	{ HEAD ROOT "config.json\" status=200 bytes=57 agent=\" status=500\"", ANSWER_CONFIG_JSON },
	{ HEAD "/cargo" ROOT "serde/1.0.0/download" REST, ANSWER_DOWNLOAD },
	{ HEAD ROOT "config.json", ANSWER__ROUTES },
	{ HEAD ROOT REST, ANSWER__ROUTES },
	{ HEAD "/api/v4/projects" REST, ANSWER__ROUTES },
	{ "path=\"" ROOT "1/a\"", ANSWER__ROUTES },
	{ "", ANSWER__ROUTES },
};

int
main(void)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		is_int(answer_line_parse(slice_str(lines[i].line)), lines[i].route, lines[i].line);
	is_int(answer_line_parse(slice_of(NULL, 0)), ANSWER__ROUTES, "nothing at all");
	return tap_done();
}
