#include "tasks/progress.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"

enum {
	VALUE_MAX = 64, /* of a number, with its name and what stands around it */
	ESCAPED_MAX = 6 /* of a byte of a text, as \u001f */
};

int
progress_read(const struct task_ctx *ctx, const struct task *task, const struct progress_value *v, size_t n,
    struct err *err)
{
	struct json_get get = { .what = "progress", .err = err };

	if (task->progress != NULL &&
	    json_parse(ctx->arena, slice_str(task->progress), "progress", &get.obj, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *text = "";

		if (v[i].number != NULL)
			*v[i].number = 0;
		if (task->progress != NULL &&
		    (v[i].number != NULL ? json_get_int(&get, v[i].name, false, v[i].number)
		                         : json_get_str(&get, v[i].name, false, &text)) == -1)
			return -1;
		if (v[i].number == NULL)
			snprintf(v[i].text, v[i].size, "%s", text != NULL ? text : "");
	}
	return 0;
}

void
progress_again(struct task_ctx *ctx, const struct progress_value *v, size_t n)
{
	size_t max = VALUE_MAX;
	struct json_out o;
	struct buf b;

	for (size_t i = 0; i < n; i++)
		max += VALUE_MAX + (v[i].number == NULL ? ESCAPED_MAX * v[i].size : 0);
	buf_init(&b, ctx->arena, max);
	json_out_init(&o, &b);
	json_out_open(&o, '{');
	for (size_t i = 0; i < n; i++) {
		if (v[i].number != NULL)
			json_out_key_int(&o, v[i].name, *v[i].number);
		else
			json_out_key_str(&o, v[i].name, v[i].text);
	}
	json_out_close(&o, '}');
	task_again(ctx, buf_str(&b));
}
