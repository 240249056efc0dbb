#include "cache/cache_board.h"

#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* The number of a node's entry; -1: it has none. */
static int
find(const struct cache_board *b, const char *node)
{
	int n = b->n;

	for (int i = 0; i < n; i++) {
		if (strcmp(b->nodes[i].node, node) == 0)
			return i;
	}
	return -1;
}

/* As find(), but adds an entry.  -1: the board is full.  A node's name has its full length. */
static int
add(struct cache_board *b, const char *node)
{
	int i = find(b, node);

	if (i != -1 || b->n == CACHE_BOARD_NODES)
		return i;
	i = b->n;
	memcpy(b->nodes[i].node, node, CACHE_NODE_SIZE);
	/* the name first: workers read no entry from n on */
	b->n = i + 1;
	return i;
}

static void
wake(struct cache_board *b)
{
	b->changes++;
	(void)syscall(SYS_futex, &b->changes, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void
cache_board_begin(struct cache_board *b, int64_t server, const char *node)
{
	cache_board_end(b);
	for (int i = 0; i < b->n; i++)
		b->nodes[i].acknowledged = 0;
	b->own = 1 + add(b, node);
	b->server = server;
}

void
cache_board_end(struct cache_board *b)
{
	b->server = 0;
	wake(b);
}

void
cache_board_note(struct cache_board *b, const char *node, int64_t number)
{
	int i = add(b, node);

	if (i == -1 || b->nodes[i].acknowledged >= number)
		return;
	b->nodes[i].acknowledged = number;
	wake(b);
}

const char *
cache_board_own(const struct cache_board *b)
{
	int own = b->own;

	return b->server == 0 || own == 0 ? NULL : b->nodes[own - 1].node;
}

bool
cache_board_has(const struct cache_board *b, int64_t server, const char *node, int64_t number)
{
	int i;

	if (b->server != server)
		return false;
	i = find(b, node);
	/* the server again: the number may be one of a board that has ended meanwhile */
	return i != -1 && b->nodes[i].acknowledged >= number && b->server == server;
}

void
cache_board_wait(struct cache_board *b, uint32_t changes, int64_t until_us)
{
	enum { SECOND = 1000000, THOUSAND = 1000 };
	int64_t left = until_us - clock_us();
	struct timespec t = { .tv_sec = left / SECOND, .tv_nsec = left % SECOND * THOUSAND };

	if (left > 0)
		(void)syscall(SYS_futex, &b->changes, FUTEX_WAIT, changes, &t, NULL, 0);
}
