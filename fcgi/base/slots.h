#ifndef BASE_SLOTS_H
#define BASE_SLOTS_H

/*
 * Slots that processes share: they limit how many do long work at once.  Each
 * queue has slots of its own.  The memory is a file without a name: a process that inherits
 * the descriptor, also by exec, shares the slots.  The kernel takes a slot back from a
 * process that ends, however it ends.
 *
 * Actors take turns: an actor with many takers in a queue waits behind an actor with one.
 * The takers of one actor get their slots in the order in which they came.
 */

#include <stddef.h>
#include <stdint.h>

enum {
	SLOTS_QUEUES = 3,
	SLOTS_TAKERS_MAX = 4096, /* processes that hold a slot of one queue, or wait for one */
	SLOTS_ACTOR_SIZE = 32 /* with the NUL */
};

struct slots;

/* The shared memory: a descriptor that is closed on exec, or -1 with errno set. */
int slots_new(void);

/* Opens the slots in a process; keep the descriptor open meanwhile.  NULL with errno set. */
struct slots *slots_open(int fd);
void slots_close(struct slots *);

struct slots_ask {
	unsigned queue; /* below SLOTS_QUEUES */
	size_t n; /* slots of the queue */
	size_t n_actor; /* slots that one actor may have; 0: all */
	size_t n_here; /* processes of one actor that may have a slot or wait for one; 0: any number */
	const char *actor; /* shorter than SLOTS_ACTOR_SIZE */
	int64_t until_us; /* when to give up, by clock_us(); 0: at once */
};

/*
 * Takes a slot; a process has one slot of a queue at a time.  A waiting process sleeps.  Within a second it
 * finds the slot of a process that was killed.  -1: none became free in time; or, at once, n_here processes
 * of the actor are in the queue already.
 */
int slots_take(struct slots *, const struct slots_ask *) __attribute__((warn_unused_result));

/* Gives the slot back.  Of `ask` only the queue and `n` count; who waits has limits of their own. */
void slots_leave(struct slots *, const struct slots_ask *);

struct slots_count {
	size_t held;
	size_t waiting;
};

/* How many processes have a slot of the queue now, and how many wait for one. */
struct slots_count slots_count(struct slots *, unsigned queue);

#endif
