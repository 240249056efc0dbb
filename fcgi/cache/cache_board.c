#include "cache/cache_board.h"

#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { OWN = 0 }; /* the entry of this pool's node */

static bool
is_of(const struct cache_board *b, const char *own)
{
	return strcmp(b->nodes[OWN].node, own) == 0;
}

/* The entry of a node; -1: it has none. */
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
	b->nodes[i].acknowledged = 0;
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
cache_board_begin(struct cache_board *b, int64_t server, const char *own)
{
	b->server = 0;
	b->n = OWN + 1;
	b->nodes[OWN].acknowledged = 0;
	memcpy(b->nodes[OWN].node, own, CACHE_NODE_SIZE);
	b->server = server;
	wake(b);
}

void
cache_board_end(struct cache_board *b, const char *own)
{
	if (!is_of(b, own))
		return;
	b->server = 0;
	wake(b);
}

void
cache_board_note(struct cache_board *b, const char *own, const char *node, int64_t number)
{
	int i = is_of(b, own) ? add(b, node) : -1;

	if (i == -1 || b->nodes[i].acknowledged >= number)
		return;
	b->nodes[i].acknowledged = number;
	wake(b);
}

const char *
cache_board_own(const struct cache_board *b)
{
	return b->server == 0 ? NULL : b->nodes[OWN].node;
}

const char *
cache_board_last_own(const struct cache_board *b)
{
	return b->nodes[OWN].node;
}

bool
cache_board_has(const struct cache_board *b, int64_t server, const char *node, int64_t number)
{
	int i;

	/* 0: after a crash of the server, before a keeper has begun; and of a board that has ended */
	if (server == 0 || b->server != server)
		return false;
	i = find(b, node);
	/* the server again: the number may be one of a board that has ended meanwhile */
	return i != -1 && b->nodes[i].acknowledged >= number && b->server == server;
}

void
cache_board_wait(struct cache_board *b, uint32_t changes, int64_t until_us)
{
	enum { THOUSAND = 1000 };
	int64_t left = until_us - clock_us();
	struct timespec t = { .tv_sec = left / CLOCK_SECOND, .tv_nsec = left % CLOCK_SECOND * THOUSAND };

	if (left > 0)
		(void)syscall(SYS_futex, &b->changes, FUTEX_WAIT, changes, &t, NULL, 0);
}
