#ifndef CACHE_CACHE_BOARD_H
#define CACHE_CACHE_BOARD_H

/*
 * The state of a pool's keeper, and how far each node has acknowledged, in memory that the pool's processes
 * share: the keeper writes, and the workers that wait for nodes sleep until it does.  Memory of zeroes is an
 * empty board.
 *
 * Numbers count in one run of one database server: after a crash of it, or a failover, the same number can
 * come again.  So the board names that run, and a worker that has asked another one believes nothing of it.
 *
 * While a reload changes cache_dir, two keepers have the same board; the one that began last writes it.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cache/cache_state.h"

enum {
	CACHE_NODE_SIZE = 33, /* of a node's name, 32 hexadecimal digits, with the NUL */
	CACHE_BOARD_NODES = 128 /* for more nodes than these, workers ask the database */
};

struct cache_board {
	_Atomic enum cache_state state; /* the last one */
	_Atomic int64_t lease_us; /* when the lease of nginx ends, by clock_us(); 0: there was none */
	_Atomic uint32_t changes; /* counts the changes */
	/* how often the keeper has lost its session and got another, perhaps with another server */
	_Atomic uint32_t reconnects;
	/* by clock_us(): when the last commit was asked for that has waited for the synchronous standbys */
	_Atomic int64_t confirmed_us;
	_Atomic int64_t refused_us; /* until then nobody asks for one, since the last had no answer */
	_Atomic int64_t server; /* the numbers are this one's; 0: the board is empty */
	/* until when nginx of this node may send stale files, by clock_us(); 0: it may not */
	_Atomic int64_t stale_us;
	_Atomic bool stale_forbidden; /* a worker has committed a change that the keeper may not have seen */
	_Atomic uint64_t pages_removed; /* counts the removals of all pages (cache/cache_page.h) */
	_Atomic int64_t pages_us; /* the time of the last removal, by clock_us() */
	_Atomic uint32_t pages; /* files that were kept since then */
	_Atomic int n;
	struct {
		char node[CACHE_NODE_SIZE]; /* the first is this pool's own */
		_Atomic int64_t acknowledged; /* the number of the last CACHE_SYNC */
	} nodes[CACHE_BOARD_NODES];
};

/* ---- for the keeper, the only one that writes ---- */

/* Begins with an empty board: this pool's own node serves, with notifications of that run of a server. */
void cache_board_begin(struct cache_board *, int64_t server, const char *own);

/* The keeper's node serves no more, or hears no more. */
void cache_board_end(struct cache_board *, const char *own);

/* The keeper of `own` knows that the node has acknowledged all messages up to this CACHE_SYNC.  Wakes all. */
void cache_board_note(struct cache_board *, const char *own, const char *node, int64_t number);

/* ---- for workers ---- */

/* The name of this pool's node; NULL: it does not serve, so this board says nothing. */
const char *cache_board_own(const struct cache_board *);

/*
 * The name of the last node of this pool that has served, even if it does not any more; "": there was none.
 */
const char *cache_board_last_own(const struct cache_board *);

/*
 * Has the node acknowledged this number of that server, or a greater one?  For another node than this
 * pool's own, true is not certain: ask the database as well.
 */
bool cache_board_has(const struct cache_board *, int64_t server, const char *node, int64_t number);

/* Sleeps until the board changes from this state of `changes`, or until a moment of clock_us(). */
void cache_board_wait(struct cache_board *, uint32_t changes, int64_t until_us);

#endif
