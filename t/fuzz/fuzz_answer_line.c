#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tasks/answer_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line of nginx's log of the cache: text after the path never changes the route. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char more[] = " agent=\" path=\\x22/packages/cargo/config.json\\x22\"";
	struct slice line = slice_of((const char *)data, size);
	enum answer_route route = answer_line_parse(line);
	char text[4096];

	if (route == ANSWER__ROUTES || size + sizeof(more) > sizeof(text))
		return 0;
	memcpy(text, data, size);
	memcpy(text + size, more, sizeof(more) - 1);
	assert(answer_line_parse(slice_of(text, size + sizeof(more) - 1)) == route);
	return 0;
}
