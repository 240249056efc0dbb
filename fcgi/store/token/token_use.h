#ifndef STORE_TOKEN_TOKEN_USE_H
#define STORE_TOKEN_TOKEN_USE_H

/*
 * Records when tokens were last used, without a write in a request: a worker collects the uses here and
 * writes them by one statement while it is idle, at most once a minute.  If a worker crashes, the uses that
 * it has collected are lost.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/db/db.h"

enum {
	TOKEN_USE_MAX = 256, /* tokens between two writes; the next use of others counts again */
	TOKEN_USE_PERIOD_S = 60, /* between two writes */
	TOKEN_USE_DELAY_S = 1 /* from a use to the write: a client's next request comes first */
};

struct token_use {
	int64_t id[TOKEN_USE_MAX];
	int64_t at[TOKEN_USE_MAX]; /* seconds since 1970 */
	size_t n;
	int64_t due_us; /* of clock_us(): when it is to be written, if n > 0 */
	int64_t written_us; /* 0: not yet */
};

/* The token was used: at `at` by the calendar, at now_us by clock_us(). */
void token_use_note(struct token_use *, int64_t id, int64_t at, int64_t now_us);

/* Milliseconds until it should be written, 0 for now; -1: there is nothing to write. */
int token_use_wait_ms(const struct token_use *, int64_t now_us);

/*
 * Writes the collected uses and forgets them, even if the write fails, because they need not be complete.
 * -1: 500, 503.
 */
int token_use_write(struct token_use *, struct db *, int64_t now_us, struct err *)
    __attribute__((warn_unused_result));

#endif
