/* Slots: several processes share them in turns, and none is lost with a process that dies. */

#include "base/slots.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tap.h"

enum { QUEUE = 1, LONG_US = 60 * 1000000, SHORT_MS = 50, AT_ONCE_MS = 400 };

static struct slots *seen;

/* A process that asks for a slot, writes `g` (got) or `n` (none), and gives the slot back when told. */
struct taker {
	pid_t pid;
	int from, to;
};

static void
take(int fd, struct slots_ask ask, int in, int out)
{
	struct slots *slots = slots_open(fd);
	char order;

	if (slots == NULL)
		_exit(2);
	if (slots_take(slots, &ask) == -1)
		_exit(write(out, "n", 1) == 1 ? 0 : 2);
	if (write(out, "g", 1) == 1 && read(in, &order, 1) == 1)
		slots_leave(slots, &ask);
	slots_close(slots);
	_exit(0);
}

static struct taker
taker(int fd, struct slots_ask ask, int64_t wait_us)
{
	int there[2], back[2];
	struct taker t;

	ask.queue = QUEUE;
	ask.until_us = wait_us == 0 ? 0 : clock_us() + wait_us;
	fflush(stdout);
	if (pipe(there) == -1 || pipe(back) == -1)
		abort();
	t = (struct taker) { fork(), back[0], there[1] };
	if (t.pid == 0) {
		close(there[1]);
		close(back[0]);
		take(fd, ask, there[0], back[1]);
	}
	close(there[0]);
	close(back[1]);
	return t;
}

/* What the process writes within ms milliseconds; 0: nothing. */
static char
says(const struct taker *t, int ms)
{
	struct pollfd p = { .fd = t->from, .events = POLLIN };
	char c = 0;

	return poll(&p, 1, ms) == 1 && read(t->from, &c, 1) == 1 ? c : 0;
}

static char
gets(const struct taker *t)
{
	return says(t, LONG_US / 1000);
}

/* True: n processes wait, this one among them. */
static bool
waits(const struct taker *t, size_t n)
{
	for (int64_t until = clock_us() + LONG_US; clock_us() < until;) {
		if (says(t, SHORT_MS) != 0)
			return false;
		if (slots_count(seen, QUEUE).waiting == n)
			return true;
	}
	return false;
}

static void
end(struct taker *t, int sig, const char *what)
{
	if (sig != 0)
		kill(t->pid, sig);
	else if (write(t->to, "l", 1) != 1)
		abort();
	ok(waitpid(t->pid, NULL, 0) == t->pid, "%s: its process ends", what);
	close(t->from);
	close(t->to);
}

enum { A, B, C, TAKERS };

/* What a taker does, and what becomes of it. */
enum act { TAKES, IS_REFUSED, IS_REFUSED_AT_ONCE, WAITS, GETS, LEAVES, DIES };

static const struct scene {
	const char *name;
	size_t n, n_actor, n_here;
	struct step {
		enum act act;
		int taker;
		const char *actor;
		int64_t wait_us;
		const char *what;
	} steps[12];
} scenes[] = {
	{ "bounds", 2, 0, 0, {
	    { TAKES, A, "a", 0, "the first slot" },
	    { TAKES, B, "a", 0, "the second slot" },
	    { IS_REFUSED, C, "b", 0, "there is no third slot" },
	    { IS_REFUSED, C, "b", SHORT_MS * 1000, "there is none a moment later" },
	    { WAITS, C, "b", LONG_US, "a third taker waits" },
	    { LEAVES, A, .what = "the first one gives its slot back" },
	    { GETS, C, .what = "the third one gets that slot" },
	    { LEAVES, B, .what = "the second one gives its slot back" },
	    { LEAVES, C, .what = "the third one gives its slot back" } } },
	{ "killed", 1, 0, 0, {
	    { TAKES, A, "a", 0, "a slot" },
	    { WAITS, B, "b", LONG_US, "a second taker waits" },
	    { WAITS, C, "c", LONG_US, "a third taker waits" },
	    { DIES, B, .what = "the second one is killed while it waits" },
	    { DIES, A, .what = "the first one is killed with its slot" },
	    { GETS, C, .what = "the third one gets the slot, past the dead one in the queue" },
	    { DIES, C, .what = "it is killed, too" },
	    { TAKES, A, "a", 0, "the next taker gets the slot at once" },
	    { LEAVES, A, .what = "and gives it back" } } },
	{ "actors", 3, 1, 0, {
	    { TAKES, A, "a", 0, "a slot" },
	    { WAITS, B, "a", LONG_US, "one actor has one slot, though others are free" },
	    { TAKES, C, "b", LONG_US, "another actor gets a slot, past the one that waits" },
	    { LEAVES, A, .what = "the first actor gives its slot back" },
	    { GETS, B, .what = "and gets the next one" },
	    { LEAVES, B, .what = "which it gives back" },
	    { LEAVES, C, .what = "as the other actor does" } } },
	{ "crowd", 1, 0, 2, {
	    { TAKES, A, "a", 0, "a slot" },
	    { WAITS, B, "a", LONG_US, "a second process of the actor waits" },
	    { IS_REFUSED_AT_ONCE, C, "a", LONG_US, "there is no place for a third one" },
	    { WAITS, C, "b", LONG_US, "another actor waits" },
	    { DIES, B, .what = "the second one is killed while it waits" },
	    { WAITS, B, "a", LONG_US, "its place is free" },
	    { LEAVES, A, .what = "the first one gives its slot back" },
	    { GETS, C, .what = "the other actor gets that slot" },
	    { LEAVES, C, .what = "and gives it back" },
	    { GETS, B, .what = "the last one gets it" },
	    { LEAVES, B, .what = "and gives it back" } } },
};

static size_t
count(const enum act *last, enum act one, enum act other)
{
	size_t n = 0;

	for (int i = 0; i < TAKERS; i++)
		n += last[i] == one || last[i] == other;
	return n;
}

static void
play(int fd, const struct scene *scene)
{
	struct taker takers[TAKERS];
	enum act last[TAKERS] = { LEAVES, LEAVES, LEAVES };

	for (const struct step *s = scene->steps; s->what != NULL; s++) {
		struct taker *t = &takers[s->taker];

		if (s->actor != NULL)
			*t = taker(fd, (struct slots_ask) { .n = scene->n, .n_actor = scene->n_actor,
			    .n_here = scene->n_here, .actor = s->actor }, s->wait_us);
		last[s->taker] = s->act;
		if (s->act == WAITS) {
			ok(waits(t, count(last, WAITS, WAITS)), "%s: %s", scene->name, s->what);
			is_int(slots_count(seen, QUEUE).held, count(last, TAKES, GETS), "  the others have their slots");
		} else if (s->act == IS_REFUSED_AT_ONCE) {
			ok(says(t, LONG_US / 2000) == 'n', "%s: %s", scene->name, s->what);
		} else if (s->act == TAKES || s->act == GETS || s->act == IS_REFUSED) {
			ok(gets(t) == (s->act == IS_REFUSED ? 'n' : 'g'), "%s: %s", scene->name, s->what);
		}
		if (s->act == LEAVES || s->act == DIES || s->act == IS_REFUSED || s->act == IS_REFUSED_AT_ONCE)
			end(t, s->act == LEAVES ? 0 : SIGKILL, s->what);
	}
}

/* Four takers of one actor wait when two of another actor come. */
static void
turns(int fd)
{
	static const char *const names[] = { "a", "a", "a", "a", "b", "b" };
	/* places in `names` */
	static const int order[] = { 0, 4, 1, 5, 2, 3 };
	struct slots_ask ask = { .n = 1, .n_actor = 2, .actor = "a" };
	struct taker first = taker(fd, ask, 0), t[6];

	is_int(gets(&first), 'g', "the first one gets the slot");
	for (int i = 0; i < 6; i++) {
		ask.actor = names[i];
		t[i] = taker(fd, ask, LONG_US);
		ok(waits(&t[i], (size_t)i + 1), "taker %d, of actor %s, waits", i, names[i]);
	}
	end(&first, 0, "the first one");
	for (int i = 0; i < 6; i++) {
		is_int(gets(&t[order[i]]), 'g', "the next one in turn gets the slot");
		for (int k = i + 1; k < 6; k++)
			ok(says(&t[order[k]], 0) == 0, "and nobody else does");
		end(&t[order[i]], 0, "the next one");
	}
}

/* Two actors of one queue have different limits, and each keeps to its own. */
static void
limits(int fd)
{
	const struct slots_ask reads = { .n = 3, .n_actor = 0, .actor = "read" };
	const struct slots_ask writes = { .n = 3, .n_actor = 1, .actor = "write" };
	struct taker first = taker(fd, writes, 0), second, read[3];

	is_int(gets(&first), 'g', "one that writes gets a slot");
	second = taker(fd, writes, LONG_US);
	ok(waits(&second, 1), "a second one waits, though slots are free");
	for (int i = 0; i < 2; i++) {
		read[i] = taker(fd, reads, 0);
		is_int(gets(&read[i]), 'g', "one that reads gets a slot");
	}
	ok(says(&second, 0) == 0, "and the one that waits gets none by that");
	end(&second, SIGKILL, "the one that waits");
	read[2] = taker(fd, reads, LONG_US);
	ok(waits(&read[2], 1), "a third one that reads waits");
	end(&first, 0, "the one that writes");
	is_int(says(&read[2], AT_ONCE_MS), 'g', "the one that reads gets its slot at once");
	for (int i = 0; i < 3; i++)
		end(&read[i], 0, "one that reads");
}

int
main(void)
{
	int fd = slots_new();

	ok(fd != -1, "shared memory");
	seen = slots_open(fd);
	ok(seen != NULL, "is mapped into this process");
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++)
		play(fd, &scenes[i]);
	turns(fd);
	limits(fd);
	is_int(slots_count(seen, QUEUE).held, 0, "no slot is held in the end");
	slots_close(seen);
	close(fd);
	return tap_done();
}
