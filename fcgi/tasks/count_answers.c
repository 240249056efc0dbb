#include "tasks/task.h"

#include <string.h>

#include "store/package/nginx_answers.h"
#include "tasks/answer_line.h"
#include "tasks/log_count.h"

_Static_assert((int)ANSWER__ROUTES == (int)NGINX_ANSWERS_ROUTES, "one count for each route");

static int
count_lines(struct log_count *c, struct arena *a, struct download_part *part, struct slice lines,
    int64_t *counted, struct err *err)
{
	struct nginx_answers answers = { .routes = answer_route_names };
	bool moved;

	while (lines.n > 0) {
		size_t n = (size_t)((const char *)memchr(lines.p, '\n', lines.n) - lines.p);
		enum answer_route route = answer_line_parse(slice_of(lines.p, n));

		lines = slice_of(lines.p + n + 1, lines.n - n - 1);
		if (route == ANSWER__ROUTES)
			part->garbage++;
		else
			answers.n[route]++;
	}
	if (nginx_answers_count(c->ctx->db, a, part, &answers, &moved, err) == -1)
		return -1;
	*counted = moved ? 0 : -1;
	for (size_t i = 0; moved && i < ANSWER__ROUTES; i++)
		*counted += answers.n[i];
	return 0;
}

/*
 * Does not count lines that were compressed before it could read them, since the numbers are only for
 * monitoring.
 */
int
task_count_answers(struct task_ctx *ctx, const struct task *task, struct err *err)
{
	struct log_file *files;
	struct log_count c;
	size_t n;

	(void)task;
	if (ctx->settings->cache_log[0] == '\0')
		return 0;
	log_count_init(&c, ctx, count_lines);
	return log_count_all(&c, ctx->settings->cache_log, "answers", "berth", &files, &n, err);
}
