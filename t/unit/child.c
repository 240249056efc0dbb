/* base/child: what another program writes is read with a bound, both of it. */
#include "base/child.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tap.h"

enum { OUTPUT_MAX = 100000, PATIENCE_S = 30 };

static struct arena *arena;
static struct err err;

static int
shell(const char *script, int64_t patience_s, struct child_result *out)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int rc;

	err_clear(&err);
	rc = child_run(arena, argv, null, OUTPUT_MAX, clock_us() + patience_s * 1000000, out, &err);
	close(null);
	return rc;
}

static bool
all(struct slice s, char c)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != c)
			return false;
	}
	return true;
}

int
main(void)
{
	struct child_result out;

	arena = arena_new();
	is_int(shell("echo out; echo err >&2; exit 3", PATIENCE_S, &out), 0, "a program runs");
	ok(slice_is(out.output, "out\n"), "what it wrote");
	ok(slice_is(out.errors, "err\n"), "and what it wrote to standard error, apart");
	is_int(WEXITSTATUS(out.status), 3, "its status");
	is_int(shell("true", PATIENCE_S, &out), 0, "one that writes nothing");
	ok(out.output.n == 0 && out.errors.n == 0, "has written nothing");

	is_int(shell("head -c 1000000 /dev/zero | tr '\\0' e >&2; echo out", PATIENCE_S, &out), 0,
	    "much on standard error, more than a pipe holds");
	ok(out.errors.n == CHILD_ERRORS_MAX && all(out.errors, 'e'), "is cut");
	ok(slice_is(out.output, "out\n"), "and holds nobody up");
	is_int(shell("head -c 100000 /dev/zero | tr '\\0' o; echo >&2", PATIENCE_S, &out), 0,
	    "as much as may be written");
	ok(out.output.n == OUTPUT_MAX && all(out.output, 'o'), "comes whole");
	is_int(shell("head -c 100001 /dev/zero", PATIENCE_S, &out), -1, "a byte more");
	is_int(err.status, 500, "is an error");

	is_int(shell("echo why >&2; exec sleep 100", 1, &out), -1, "one that does not end");
	is_int(err.status, 503, "is not waited for");
	ok(slice_is(out.errors, "why\n"), "what it said is there all the same");
	ok(WIFSIGNALED(out.status), "it was killed");
	arena_free(arena);
	return tap_done();
}
