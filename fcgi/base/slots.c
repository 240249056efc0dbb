#include "base/slots.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { LOOK_US = CLOCK_SECOND };

enum taker_state { TAKER_NONE, TAKER_WAITS, TAKER_HOLDS };

/* In shared memory; a taker of zeroes is free. */
struct taker {
	enum taker_state state;
	char actor[SLOTS_ACTOR_SIZE];
	uint64_t turn; /* the lowest turn goes first */
	uint64_t came; /* among equal turns the lowest goes first */
	size_t n_actor; /* slots that its actor may have; 0: all */
	sem_t granted;
};

/* Read and written only under the queue's lock. */
struct queue {
	uint64_t turn; /* the highest turn that has got a slot */
	uint64_t came; /* number of takers that have come */
	size_t used; /* the takers from here on were never used */
	struct taker takers[SLOTS_TAKERS_MAX];
};

struct slots {
	int fd;
	struct queue *queues;
	struct taker *mine[SLOTS_QUEUES]; /* NULL: this process is not in that queue */
};

int
slots_new(void)
{
	int fd = memfd_create("slots", MFD_CLOEXEC);

	if (fd == -1)
		return -1;
	if (ftruncate(fd, SLOTS_QUEUES * sizeof(struct queue)) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

struct slots *
slots_open(int fd)
{
	struct slots *s = calloc(1, sizeof(*s));
	void *p;

	if (s == NULL)
		return NULL;
	p = mmap(NULL, SLOTS_QUEUES * sizeof(struct queue), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		free(s);
		return NULL;
	}
	s->fd = fd;
	s->queues = p;
	return s;
}

void
slots_close(struct slots *s)
{
	if (s == NULL)
		return;
	munmap(s->queues, SLOTS_QUEUES * sizeof(struct queue));
	free(s);
}

/*
 * Locks of bytes of the file belong to a process and end with it, also where processes share the
 * descriptor.  The first bytes are the queues' locks, then each taker has one.
 */
static int
byte_lock(const struct slots *s, int command, short type, off_t byte, struct flock *lock)
{
	*lock = (struct flock) { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
	return fcntl(s->fd, command, lock);
}

static off_t
taker_byte(const struct slots *s, const struct taker *t)
{
	/* any number that no other taker has */
	return SLOTS_QUEUES + (off_t)((const char *)t - (const char *)s->queues);
}

static bool
queue_lock(const struct slots *s, unsigned queue)
{
	struct flock lock;
	int rc;

	/* other processes hold it for some microseconds */
	do
		rc = byte_lock(s, F_SETLKW, F_WRLCK, queue, &lock);
	while (rc == -1 && errno == EINTR);
	return rc == 0;
}

static void
queue_unlock(const struct slots *s, unsigned queue)
{
	struct flock lock;

	(void)byte_lock(s, F_SETLK, F_UNLCK, queue, &lock);
}

/* True: its process is alive, or nobody can tell. */
static bool
taker_lives(const struct slots *s, const struct taker *t, unsigned queue)
{
	struct flock lock;

	return t == s->mine[queue] ||
	    byte_lock(s, F_GETLK, F_WRLCK, taker_byte(s, t), &lock) == -1 || lock.l_type != F_UNLCK;
}

/* Forgets the takers in that state whose processes have ended. */
static void
queue_sweep(const struct slots *s, unsigned queue, enum taker_state state)
{
	struct queue *q = &s->queues[queue];

	for (size_t i = 0; i < q->used; i++) {
		if (q->takers[i].state == state && !taker_lives(s, &q->takers[i], queue))
			q->takers[i].state = TAKER_NONE;
	}
}

/* Counts the takers in that state, of one actor or (NULL) of all. */
static size_t
queue_count(const struct queue *q, enum taker_state state, const char *actor)
{
	size_t n = 0;

	for (size_t i = 0; i < q->used; i++) {
		if (q->takers[i].state == state &&
		    (actor == NULL || strcmp(q->takers[i].actor, actor) == 0))
			n++;
	}
	return n;
}

static bool
goes_before(const struct taker *a, const struct taker *b)
{
	return a->turn != b->turn ? a->turn < b->turn : a->came < b->came;
}

/* The taker that gets the next slot; NULL: none that waits may have one. */
static struct taker *
queue_next(struct queue *q)
{
	struct taker *first = NULL;

	for (size_t i = 0; i < q->used; i++) {
		struct taker *t = &q->takers[i];

		if (t->state == TAKER_WAITS && (first == NULL || goes_before(t, first)) &&
		    (t->n_actor == 0 || queue_count(q, TAKER_HOLDS, t->actor) < t->n_actor))
			first = t;
	}
	return first;
}

static void
grant(struct queue *q, struct taker *t)
{
	t->state = TAKER_HOLDS;
	if (t->turn > q->turn)
		q->turn = t->turn;
	(void)sem_post(&t->granted);
}

/*
 * Gives free slots to the takers whose turn it is.  It takes a system call to find out whether a process
 * lives.  So this function asks only about takers that are to get a slot, and, when no slot is free for one
 * that waits, about those that hold one.
 */
static void
queue_grant(const struct slots *s, const struct slots_ask *ask)
{
	struct queue *q = &s->queues[ask->queue];
	bool swept = false;

	while (queue_count(q, TAKER_WAITS, NULL) > 0) {
		bool full = queue_count(q, TAKER_HOLDS, NULL) >= ask->n;
		struct taker *t = full ? NULL : queue_next(q);

		if (t == NULL && swept)
			return;
		if (t == NULL) {
			queue_sweep(s, ask->queue, TAKER_HOLDS);
			swept = true;
		} else if (taker_lives(s, t, ask->queue)) {
			grant(q, t);
		} else {
			t->state = TAKER_NONE;
		}
	}
}

/* The turn after this actor's last one, and after the current one. */
static uint64_t
queue_turn(const struct queue *q, const char *actor)
{
	uint64_t turn = q->turn;

	for (size_t i = 0; i < q->used; i++) {
		const struct taker *t = &q->takers[i];

		if (t->state != TAKER_NONE && t->turn > turn && strcmp(t->actor, actor) == 0)
			turn = t->turn;
	}
	return turn + 1;
}

static size_t
queue_here(const struct queue *q, const char *actor)
{
	return queue_count(q, TAKER_HOLDS, actor) + queue_count(q, TAKER_WAITS, actor);
}

/* Are as many processes of this actor in the queue as may be there? */
static bool
is_crowded(const struct slots *s, const struct slots_ask *ask)
{
	const struct queue *q = &s->queues[ask->queue];

	if (ask->n_here == 0 || queue_here(q, ask->actor) < ask->n_here)
		return false;
	/* some of them may have been killed */
	queue_sweep(s, ask->queue, TAKER_HOLDS);
	queue_sweep(s, ask->queue, TAKER_WAITS);
	return queue_here(q, ask->actor) >= ask->n_here;
}

/* Puts this process into the queue.  false: it has no place for this process. */
static bool
queue_enter(struct slots *s, const struct slots_ask *ask)
{
	struct queue *q = &s->queues[ask->queue];
	struct taker *t = q->takers, *end = t + SLOTS_TAKERS_MAX;
	struct flock lock;

	assert(s->mine[ask->queue] == NULL && strlen(ask->actor) < SLOTS_ACTOR_SIZE);
	if (is_crowded(s, ask))
		return false;
	while (t < end && (t->state != TAKER_NONE ||
			      byte_lock(s, F_SETLK, F_WRLCK, taker_byte(s, t), &lock) == -1))
		t++;
	if (t == end || sem_init(&t->granted, 1, 0) == -1)
		return false;
	t->turn = queue_turn(q, ask->actor);
	t->came = ++q->came;
	t->n_actor = ask->n_actor;
	stpcpy(t->actor, ask->actor);
	t->state = TAKER_WAITS;
	if ((size_t)(t - q->takers) >= q->used)
		q->used = (size_t)(t - q->takers) + 1;
	s->mine[ask->queue] = t;
	return true;
}

static void
queue_exit(struct slots *s, unsigned queue)
{
	struct taker *t = s->mine[queue];
	struct flock lock;

	t->state = TAKER_NONE;
	(void)byte_lock(s, F_SETLK, F_UNLCK, taker_byte(s, t), &lock);
	s->mine[queue] = NULL;
}

/*
 * Sleeps until another process grants the slot, or the time is up.  True: this process has its slot.  False:
 * look() tells, since the slot may have come at the last moment.
 */
static bool
taker_sleep(struct taker *t, int64_t us)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += us / CLOCK_SECOND;
	until.tv_nsec += us % CLOCK_SECOND * 1000;
	if (until.tv_nsec >= (long)CLOCK_SECOND * 1000) {
		until.tv_sec++;
		until.tv_nsec -= (long)CLOCK_SECOND * 1000;
	}
	return sem_clockwait(&t->granted, CLOCK_MONOTONIC, &until) == 0;
}

/* Grants free slots.  True: this process has its slot.  `last`: leaves the queue otherwise. */
static bool
look(struct slots *s, const struct slots_ask *ask, bool last)
{
	bool has;

	/* without the lock, behave as if no slot were free */
	if (!queue_lock(s, ask->queue))
		return false;
	if (s->mine[ask->queue] == NULL && !queue_enter(s, ask)) {
		queue_unlock(s, ask->queue);
		return false;
	}
	queue_grant(s, ask);
	has = s->mine[ask->queue]->state == TAKER_HOLDS;
	if (!has && last)
		queue_exit(s, ask->queue);
	queue_unlock(s, ask->queue);
	return has;
}

int
slots_take(struct slots *s, const struct slots_ask *ask)
{
	int64_t left = ask->until_us - clock_us();

	while (!look(s, ask, left <= 0)) {
		if (left <= 0 || s->mine[ask->queue] == NULL)
			return -1;
		/* look again: nobody wakes the others when the holder of a slot is killed */
		if (taker_sleep(s->mine[ask->queue], left < LOOK_US ? left : LOOK_US))
			return 0;
		left = ask->until_us - clock_us();
	}
	return 0;
}

void
slots_leave(struct slots *s, const struct slots_ask *ask)
{
	bool locked = queue_lock(s, ask->queue);

	queue_exit(s, ask->queue);
	if (!locked)
		return;
	queue_grant(s, ask);
	queue_unlock(s, ask->queue);
}

struct slots_count
slots_count(struct slots *s, unsigned queue)
{
	const struct queue *q = &s->queues[queue];
	struct slots_count count;

	if (!queue_lock(s, queue))
		return (struct slots_count) { 0 };
	queue_sweep(s, queue, TAKER_HOLDS);
	queue_sweep(s, queue, TAKER_WAITS);
	count = (struct slots_count) { queue_count(q, TAKER_HOLDS, NULL),
		queue_count(q, TAKER_WAITS, NULL) };
	queue_unlock(s, queue);
	return count;
}
