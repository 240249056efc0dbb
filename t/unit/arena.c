/* base/arena and base/buf. */
#include "base/arena.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "tap.h"

static char order[8];
static size_t norder;

static void
note(void *arg)
{
	order[norder++] = *(const char *)arg;
}

static void
test_arena(void)
{
	static char one[] = "1", two[] = "2";
	struct arena *a = arena_new();
	unsigned char *p = arena_alloc(a, 100);
	bool zero = true;

	for (int i = 0; i < 100; i++)
		zero = zero && p[i] == 0;
	ok(zero, "memory is zeroed");
	memset(p, 0xff, 100);
	ok(arena_alloc(a, 0) != arena_alloc(a, 0), "two empty allocations have two addresses");
	ok((uintptr_t)arena_alloc(a, 1) % _Alignof(max_align_t) == 0, "aligned for any type");
	memset(arena_alloc(a, 1 << 20), 1, 1 << 20);
	is_str(arena_printf(a, "%d-%s", 7, "x"), "7-x", "printf");
	is_str(arena_strndup(a, "abcdef", 3), "abc", "strndup ends in NUL");
	arena_defer(a, note, one);
	arena_defer(a, note, two);
	arena_reset(a);
	is_str(order, "21", "deferred functions run last first");
	p = arena_alloc(a, 100);
	zero = true;
	for (int i = 0; i < 100; i++)
		zero = zero && p[i] == 0;
	ok(zero, "memory is zeroed after a reset too");
	arena_free(a);
	arena_free(NULL);
	is_int(norder, 2, "each deferred function ran once");
}

/* Is the text in this freed memory?  The kernel reads it, since sanitizers forbid that. */
static bool
has_left(uintptr_t at, const char *text)
{
	int fd = open("/proc/self/mem", O_RDONLY);
	char bytes[64] = "";
	ssize_t n = pread(fd, bytes, sizeof(bytes), (off_t)at);

	close(fd);
	return n == (ssize_t)sizeof(bytes) && memmem(bytes, sizeof(bytes), text, strlen(text)) != NULL;
}

/* A request that needs several chunks leaves nothing in those that its arena gives back. */
static void
test_wipe(void)
{
	static const char secret[] = "berth_pat_0123456789abcdef0123456789abcdef0123456789abcdef012345";
	enum { ROUNDS = 100, SIZE = 1000, LONG = 64 * 1024 };
	struct arena *a = arena_new();
	uintptr_t first = (uintptr_t)arena_strdup(a, secret);
	char *longer = arena_alloc(a, LONG);

	memcpy(longer, secret, sizeof(secret));
	for (int i = 0; i < ROUNDS; i++)
		memset(arena_alloc(a, SIZE), 'x', SIZE);
	ok(has_left(first, "cdef") && has_left((uintptr_t)longer, "cdef"), "what the arena has can be found");
	arena_reset(a);
	ok(!has_left(first, "cdef"), "no text is left in the first chunk");
	ok(!has_left((uintptr_t)longer, "cdef"), "nor where a whole body was");
	arena_free(a);
}

static void
test_grow(void)
{
	struct arena *a = arena_new();
	size_t room = 0, moved = 0, n = 1000;
	bool kept = true, zero = true;
	int *v = NULL;

	for (size_t i = 0; i < n; i++) {
		int *was = v;

		v = arena_grow(a, v, i, &room, sizeof(*v));
		moved += v != was;
		zero = zero && v[i] == 0;
		v[i] = (int)i;
	}
	for (size_t i = 0; i < n; i++)
		kept = kept && v[i] == (int)i;
	ok(kept, "an array that grows keeps its members");
	ok(zero, "its new members are zero");
	ok(room >= n && moved < 12, "it doubles");
	v = arena_grow(a, v, 5 * n, &room, sizeof(*v));
	ok(room > 5 * n && v[n - 1] == (int)n - 1 && v[5 * n] == 0, "it can grow by more at once");
	arena_free(a);
}

/* Does a child that grows an array to a member i of `size` bytes abort? */
static bool
grow_aborts(size_t i, size_t size)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		size_t room = 0;

		(void)!arena_grow(arena_new(), NULL, i, &room, size);
		_exit(0);
	}
	return pid != -1 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
test_grow_overflow(void)
{
	ok(!grow_aborts(1, 1), "a small array is no overflow");
	ok(grow_aborts(SIZE_MAX, 1), "too many members abort");
	ok(grow_aborts(SIZE_MAX / 8, 64), "so do too many bytes");
}

static void
test_buf(void)
{
	struct arena *a = arena_new();
	struct buf b;

	buf_init(&b, a, 10);
	is_str(buf_str(&b), "", "an unwritten buffer reads as empty");
	buf_puts(&b, "12345");
	buf_printf(&b, "%d", 67890);
	is_str(buf_str(&b), "1234567890", "up to the cap");
	ok(!buf_full(&b), "the cap itself is not too much");
	buf_putc(&b, 'x');
	ok(buf_full(&b), "one more is");
	buf_puts(&b, "");
	is_str(buf_str(&b), "1234567890", "and changes nothing");
	buf_reset(&b);
	ok(!buf_full(&b) && b.n == 0, "reset");
	buf_put_int(&b, -1234567890);
	ok(buf_full(&b), "a number is whole or not there");
	buf_reset(&b);
	buf_put_int(&b, -123456789);
	is_str(buf_str(&b), "-123456789", "a number");
	buf_init(&b, a, 1 << 20);
	for (int i = 0; i < 100000; i++)
		buf_put(&b, "0123456789", 10);
	is_int(b.n, 1000000, "grows");
	ok(!buf_full(&b), "below its cap");
	arena_free(a);
}

static void
test_buf_measure(void)
{
	struct arena *a = arena_new();
	struct buf b;
	const char *kept;

	buf_init_measure(&b, 10);
	buf_puts(&b, "12345");
	buf_printf(&b, "%d", 67890);
	ok(!buf_full(&b) && b.n == 10, "a buffer that measures counts");
	is_str(buf_str(&b), "", "and keeps nothing");
	buf_expect(&b, 0);
	buf_putc(&b, 'x');
	ok(buf_full(&b) && b.n == 10, "up to its cap");
	buf_init(&b, a, 1 << 20);
	buf_puts(&b, "kept");
	buf_expect(&b, 1 << 20);
	ok(!buf_full(&b), "expecting more than the cap changes nothing");
	buf_expect(&b, 1000000);
	kept = buf_str(&b);
	for (int i = 0; i < 100000; i++)
		buf_put(&b, "0123456789", 10);
	ok(b.n == 1000004 && buf_str(&b) == kept, "the buffer has room for what it expected, and does not move");
	ok(strncmp(buf_str(&b), "kept0123", 8) == 0, "and stands behind what was there");
	arena_free(a);
}

int
main(void)
{
	test_arena();
	test_wipe();
	test_grow();
	test_grow_overflow();
	test_buf();
	test_buf_measure();
	return tap_done();
}
