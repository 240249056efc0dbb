/* tasks/progress: what a task writes down is what its next run reads. */
#include "tasks/progress.h"

#include <string.h>

#include "tap.h"

int
main(void)
{
	/* the longest text of a task, of which each byte is escaped */
	static char text[ERR_PUB_SIZE + ERR_DETAIL_SIZE], back[sizeof(text)];
	int64_t number = INT64_MIN, same = 0;
	const struct progress_value written[] = { { .name = "number", .number = &number },
		{ .name = "text", .text = text, .size = sizeof(text) } };
	const struct progress_value read[] = { { .name = "number", .number = &same },
		{ .name = "text", .text = back, .size = sizeof(back) } };
	struct task_ctx ctx = { .arena = arena_new() };
	struct task task = { .id = 1 };
	struct err err = { 0 };

	memset(text, '\x1f', sizeof(text) - 1);
	progress_again(&ctx, written, 2);
	task.progress = ctx.progress;
	ok(ctx.again, "the task runs again");
	is_int(progress_read(&ctx, &task, read, 2, &err), 0, "its progress can be read");
	is_str(err.pub, "", "without an error");
	ok(same == number, "a number");
	ok(strcmp(back, text) == 0, "and a text are the same");
	task.progress = NULL;
	is_int(progress_read(&ctx, &task, read, 2, &err), 0, "of a first run");
	ok(same == 0 && back[0] == '\0', "nothing is there");
	arena_free(ctx.arena);
	return tap_done();
}
