/* cache/cache_board: what one process notes, others see and are woken by. */
#include "cache/cache_board.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tap.h"

enum { SERVER = 17, SECOND = 1000000 };

static const char own[] = "0123456789abcdef0123456789abcdef";
static const char other[] = "fedcba9876543210fedcba9876543210";

static void
test_board(struct cache_board *b)
{
	ok(cache_board_own(b) == NULL, "an empty board belongs to no node");
	ok(!cache_board_has(b, 0, own, 0), "and says nothing");
	cache_board_begin(b, SERVER, own);
	is_str(cache_board_own(b), own, "its node");
	ok(!cache_board_has(b, SERVER, own, 1), "which has acknowledged nothing");
	cache_board_note(b, own, own, 10);
	cache_board_note(b, own, other, 5);
	ok(cache_board_has(b, SERVER, own, 10) && cache_board_has(b, SERVER, own, 9),
	    "10 counts for what was before");
	ok(!cache_board_has(b, SERVER, own, 11), "but for nothing later");
	ok(cache_board_has(b, SERVER, other, 5) && !cache_board_has(b, SERVER, other, 6), "the other node");
	cache_board_note(b, own, own, 8);
	ok(cache_board_has(b, SERVER, own, 10), "numbers only rise");
	ok(!cache_board_has(b, SERVER + 1, own, 1), "another server has other numbers");
	cache_board_note(b, other, own, 20);
	cache_board_end(b, other);
	ok(!cache_board_has(b, SERVER, own, 20) && cache_board_has(b, SERVER, own, 10),
	    "another keeper neither writes nor ends it");
	cache_board_end(b, own);
	ok(cache_board_own(b) == NULL && !cache_board_has(b, SERVER, own, 1), "nothing is left after the end");
	ok(!cache_board_has(b, 0, own, 1), "nor for a worker that knows no run of the server");
	cache_board_begin(b, SERVER + 1, own);
	ok(!cache_board_has(b, SERVER + 1, own, 1), "nor at a new beginning");
	ok(!cache_board_has(b, SERVER + 1, other, 1), "of any node");
}

static void
test_full(struct cache_board *b)
{
	char name[CACHE_NODE_SIZE];

	for (int i = 0; i < 2 * CACHE_BOARD_NODES; i++) {
		snprintf(name, sizeof(name), "%032x", i);
		cache_board_note(b, own, name, 1);
	}
	snprintf(name, sizeof(name), "%032x", 2 * CACHE_BOARD_NODES - 1);
	ok(!cache_board_has(b, SERVER + 1, name, 1), "there is no room for more nodes than it has");
	cache_board_note(b, own, own, 3);
	ok(cache_board_has(b, SERVER + 1, own, 3), "its own node has kept its entry");
}

static void
test_wake(struct cache_board *b)
{
	uint32_t changes = b->changes;
	int64_t began = clock_us();
	pid_t pid;

	cache_board_wait(b, changes, began + SECOND / 20);
	ok(clock_us() - began >= SECOND / 20, "nobody wakes who waits where nothing changes");
	cache_board_wait(b, changes + 1, began + 60 * (int64_t)SECOND);
	ok(clock_us() - began < 30 * (int64_t)SECOND, "what has changed already is not waited for");
	pid = fork();
	if (pid == 0) {
		cache_board_note(b, own, own, 100);
		_exit(0);
	}
	while (!cache_board_has(b, SERVER + 1, own, 100) && clock_us() - began < 30 * (int64_t)SECOND) {
		changes = b->changes;
		if (!cache_board_has(b, SERVER + 1, own, 100))
			cache_board_wait(b, changes, began + 60 * (int64_t)SECOND);
	}
	ok(cache_board_has(b, SERVER + 1, own, 100), "another process wakes who waits");
	ok(waitpid(pid, NULL, 0) == pid, "and has ended");
}

int
main(void)
{
	struct cache_board *b =
	    mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ok(b != MAP_FAILED, "memory");
	test_board(b);
	test_full(b);
	test_wake(b);
	munmap(b, sizeof(*b));
	return tap_done();
}
