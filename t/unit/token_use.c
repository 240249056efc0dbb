/* store/token/token_use: what is remembered, and when it is due. */
#include "store/token/token_use.h"

#include "tap.h"

enum { SECOND = 1000000 };

int
main(void)
{
	static struct token_use u;
	struct db *nowhere = db_new("host=/nonexistent", 1000);
	struct err err = { 0 };

	is_int(token_use_wait_ms(&u, 5 * SECOND), -1, "nothing is due at first");
	is_int(token_use_write(&u, nowhere, 5 * SECOND, &err), 0, "nothing is written");
	token_use_note(&u, 7, 100, 5 * SECOND);
	is_int(token_use_wait_ms(&u, 5 * SECOND), 1000, "the first use is due after a second");
	is_int(token_use_wait_ms(&u, 6 * SECOND - 1), 1, "rounded up");
	is_int(token_use_wait_ms(&u, 6 * SECOND), 0, "then");
	is_int(token_use_wait_ms(&u, 600 * SECOND), 0, "and as long as it is not written");
	token_use_note(&u, 7, 101, 6 * SECOND);
	token_use_note(&u, 8, 102, 6 * SECOND);
	is_int(token_use_wait_ms(&u, 6 * SECOND), 0, "a use more puts nothing off");
	is_int(u.n, 2, "each token once");
	is_int(u.at[0], 101, "with its last use");
	is_int(token_use_write(&u, nowhere, 6 * SECOND, &err), -1, "no database");
	is_int(err.status, 503, "503");
	is_int(token_use_wait_ms(&u, 6 * SECOND), -1, "it is forgotten all the same");
	token_use_note(&u, 7, 103, 7 * SECOND);
	is_int(token_use_wait_ms(&u, 7 * SECOND), 59000, "a minute after the last write");
	for (int i = 0; i < 2 * TOKEN_USE_MAX; i++)
		token_use_note(&u, 1000 + i, 104, 8 * SECOND);
	is_int(u.n, TOKEN_USE_MAX, "no more than there is room for");
	token_use_note(&u, 7, 105, 8 * SECOND);
	is_int(u.at[0], 105, "those that are there are still noted");
	db_free(nowhere);
	return tap_done();
}
