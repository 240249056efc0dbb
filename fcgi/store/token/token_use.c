#include "store/token/token_use.h"

#include <inttypes.h>

#include "base/clock.h"

enum { MS_US = 1000 };

void
token_use_note(struct token_use *u, int64_t id, int64_t at, int64_t now_us)
{
	size_t i = 0;

	while (i < u->n && u->id[i] != id)
		i++;
	if (i == TOKEN_USE_MAX)
		return;
	if (u->n == 0) {
		int64_t next = u->written_us + (int64_t)TOKEN_USE_PERIOD_S * CLOCK_SECOND;

		u->due_us = now_us + (int64_t)TOKEN_USE_DELAY_S * CLOCK_SECOND;
		if (u->written_us != 0 && u->due_us < next)
			u->due_us = next;
	}
	if (i == u->n)
		u->id[u->n++] = id;
	u->at[i] = at;
}

int
token_use_wait_ms(const struct token_use *u, int64_t now_us)
{
	if (u->n == 0)
		return -1;
	if (u->due_us <= now_us)
		return 0;
	/* rounded up, so that it is due when the time is over */
	return (int)((u->due_us - now_us + MS_US - 1) / MS_US);
}

static void
bind_numbers(struct db_params *p, struct arena *a, const int64_t *v, size_t n)
{
	const char **texts = arena_calloc(a, n, sizeof(*texts));

	for (size_t i = 0; i < n; i++)
		texts[i] = arena_printf(a, "%" PRId64, v[i]);
	db_bind_array(p, a, texts, n);
}

int
token_use_write(struct token_use *u, struct db *db, int64_t now_us, struct err *err)
{
	struct db_params p = { 0 };
	struct arena *a;
	size_t n = u->n;
	int rc;

	if (n == 0)
		return 0;
	u->n = 0;
	u->written_us = now_us;
	/* one that is away is the next request's to wait for */
	if (db_fd(db) == -1)
		return err_internal(err, 503, "there is no connection to write the use of tokens");
	a = arena_new();
	bind_numbers(&p, a, u->id, n);
	bind_numbers(&p, a, u->at, n);
	rc = db_exec(db, a, STMT_TOKEN_USE_RECORD, &p, NULL, err);
	arena_free(a);
	return rc;
}
