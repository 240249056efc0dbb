/* Slots: so many at once, of several processes, in turns, and none is lost with one that dies. */

#include "base/slots.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tap.h"

enum { QUEUE = 1, LONG_US = 60 * 1000000, SHORT_MS = 50 };

static struct slots *seen;

/* A process that asks for a slot, says `g` once it has it or `n`, and gives it back when told. */
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
taker(int fd, const char *actor, size_t n, size_t n_actor, int64_t wait_us)
{
	const struct slots_ask ask = { .queue = QUEUE, .n = n, .n_actor = n_actor, .actor = actor,
		.until_us = wait_us == 0 ? 0 : clock_us() + wait_us };
	int there[2], back[2];
	struct taker t;

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

/* What it says, 0 for nothing within so many milliseconds. */
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

/* So many wait now, this one among them, and it has got nothing. */
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
end(struct taker *t, int sig)
{
	if (sig != 0)
		kill(t->pid, sig);
	else if (write(t->to, "l", 1) != 1)
		abort();
	ok(waitpid(t->pid, NULL, 0) == t->pid, "a process ends");
	close(t->from);
	close(t->to);
}

static void
bounds(int fd)
{
	struct taker a = taker(fd, "a", 2, 0, 0), b, c;

	is_int(gets(&a), 'g', "the first slot");
	b = taker(fd, "a", 2, 0, 0);
	is_int(gets(&b), 'g', "the second slot");
	c = taker(fd, "b", 2, 0, 0);
	is_int(gets(&c), 'n', "there is no third");
	end(&c, SIGKILL);
	c = taker(fd, "b", 2, 0, SHORT_MS * 1000);
	is_int(gets(&c), 'n', "nor is there one a moment later");
	end(&c, SIGKILL);
	c = taker(fd, "b", 2, 0, LONG_US);
	ok(waits(&c, 1), "a third waits");
	is_int(slots_count(seen, QUEUE).held, 2, "while two have a slot");
	end(&a, 0);
	is_int(gets(&c), 'g', "and gets the slot that is given back");
	end(&b, 0);
	end(&c, 0);
}

static void
killed(int fd)
{
	struct taker a = taker(fd, "a", 1, 0, 0), b, c;

	is_int(gets(&a), 'g', "a slot");
	b = taker(fd, "b", 1, 0, LONG_US);
	ok(waits(&b, 1), "somebody waits");
	c = taker(fd, "c", 1, 0, LONG_US);
	ok(waits(&c, 2), "and another one");
	end(&b, SIGKILL);
	end(&a, SIGKILL);
	is_int(gets(&c), 'g', "the slot of a process that was killed, past a waiting one that was");
	end(&c, SIGKILL);
	a = taker(fd, "a", 1, 0, 0);
	is_int(gets(&a), 'g', "it is free at once for who comes then");
	end(&a, 0);
}

static void
actors(int fd)
{
	struct taker a = taker(fd, "a", 3, 1, 0), second, b;

	is_int(gets(&a), 'g', "a slot");
	second = taker(fd, "a", 3, 1, LONG_US);
	ok(waits(&second, 1), "one actor has one slot, though others are free");
	b = taker(fd, "b", 3, 1, LONG_US);
	is_int(gets(&b), 'g', "which another actor gets, past the one that waits");
	end(&a, 0);
	is_int(gets(&second), 'g', "and the first actor the next, once theirs is given back");
	end(&second, 0);
	end(&b, 0);
}

/* Four of one actor wait when two of another come, one after the other. */
static void
turns(int fd)
{
	static const char *const names[] = { "a", "a", "a", "a", "b", "b" };
	/* in this order, by their place above */
	static const int order[] = { 0, 4, 1, 5, 2, 3 };
	struct taker first = taker(fd, "a", 1, 2, 0), t[6];

	is_int(gets(&first), 'g', "a slot");
	for (int i = 0; i < 6; i++) {
		t[i] = taker(fd, names[i], 1, 2, LONG_US);
		ok(waits(&t[i], (size_t)i + 1), "number %d waits, of %s", i, names[i]);
	}
	end(&first, 0);
	for (int i = 0; i < 6; i++) {
		is_int(gets(&t[order[i]]), 'g', "the next one in turn");
		for (int k = i + 1; k < 6; k++)
			ok(says(&t[order[k]], 0) == 0, "and nobody else");
		end(&t[order[i]], 0);
	}
}

int
main(void)
{
	int fd = slots_new();

	ok(fd != -1, "shared memory");
	seen = slots_open(fd);
	ok(seen != NULL, "is mapped");
	bounds(fd);
	killed(fd);
	actors(fd);
	turns(fd);
	is_int(slots_count(seen, QUEUE).held, 0, "none is held in the end");
	slots_close(seen);
	close(fd);
	return tap_done();
}
