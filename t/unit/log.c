/* base/log: what a line looks like, where it goes. */
#include "base/log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tap.h"

static char path[] = "/tmp/berth-log-XXXXXX";
static char text[16384];

static const char *
slurp(const char *from)
{
	FILE *f = fopen(from, "r");
	size_t n = f != NULL ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	if (f != NULL)
		fclose(f);
	return text;
}

static void
test_line(void)
{
	struct log_line l;
	char big[6000];

	log_begin(&l, LOG_INFO, "request");
	log_str(&l, "plain", slice_str("a/b-c%20d"));
	log_str(&l, "empty", slice_str(""));
	log_str(&l, "odd", slice_of("a \"q\"\\\n\x1b\xff\0z", 11));
	log_int(&l, "n", -7);
	log_ms(&l, "ms", 1234567);
	log_end(&l);
	ok(strstr(slurp(path), " level=info program=test ") != NULL, "who says it");
	ok(strstr(text, " event=request plain=a/b-c%20d empty=\"\" "
	    "odd=\"a \\\"q\\\"\\\\\\x0a\\x1b\\xff\\x00z\" n=-7 ms=1234.567\n") != NULL,
	    "values are quoted and escaped where they must be: %s", text);
	memset(big, 'x', sizeof(big));
	log_begin(&l, LOG_ERROR, "long");
	log_str(&l, "big", slice_of(big, sizeof(big)));
	log_end(&l);
	slurp(path);
	ok(text[strlen(text) - 1] == '\n', "a long line is cut, and still a line");
	for (size_t i = 0; i < 4; i++) {
		memset(big, '"', sizeof(big));
		log_begin(&l, LOG_ERROR, "long");
		log_str(&l, "pad", slice_of("xxxx", i + 1));
		log_str(&l, "big", slice_of(big, sizeof(big)));
		ok(truncate(path, 0) == 0, "an empty file");
		log_end(&l);
		slurp(path);
		ok(strcmp(text + strlen(text) - 4, "\\\"\"\n") == 0, "what is cut is quoted to its end");
	}
}

/* The text of a second is kept: one that has passed must not come again. */
static void
test_time(void)
{
	char before[CLOCK_RFC3339_SIZE], after[CLOCK_RFC3339_SIZE];
	bool second = false, ms = true;

	for (int i = 0; i < 3; i++) {
		struct log_line l;

		usleep(600 * 1000);
		clock_rfc3339(time(NULL), before);
		log_begin(&l, LOG_INFO, "x");
		clock_rfc3339(time(NULL), after);
		second = memcmp(l.p + 5, before, 19) == 0 || memcmp(l.p + 5, after, 19) == 0;
		if (!second)
			break;
		ms = ms && l.p[24] == '.' && strspn(l.p + 25, "0123456789") == 3 && memcmp(l.p + 28, "Z level=", 8) == 0;
	}
	ok(second, "the time is that of the line");
	ok(ms, "to the millisecond");
}

/* Something else takes the path: the old file stays the log. */
static void
test_in_the_way(const char *moved)
{
	ok(rename(path, moved) == 0 && mkdir(path, 0700) == 0, "a directory takes the path");
	log_reopen();
	log_warn("goes on");
	ok(strstr(slurp(moved), path) != NULL, "the log names the file that cannot be reopened");
	ok(strstr(slurp(moved), "goes on") != NULL, "and goes on in the old one");
	ok(rmdir(path) == 0 && rename(moved, path) == 0, "the path is free again");
	log_reopen();
}

static void
test_target(void)
{
	struct log_line line;
	char moved[64];

	log_begin(&line, LOG_DEBUG, "hidden");
	log_end(&line);
	ok(strstr(slurp(path), "hidden") == NULL, "below the level");
	snprintf(moved, sizeof(moved), "%s.1", path);
	ok(rename(path, moved) == 0, "rotated");
	log_reopen();
	log_warn("after %d", 1);
	ok(strstr(slurp(path), "msg=\"after 1\"") != NULL, "goes to the new file");
	ok(strstr(slurp(moved), "after 1") == NULL, "and not to the old");
	test_in_the_way(moved);
	ok(log_open("other", "/nonexistent/log", LOG_ERROR) == -1, "a path that cannot be opened");
	log_warn("still");
	ok(strstr(slurp(path), " level=warn program=test ") != NULL && strstr(text, "msg=still") != NULL,
	    "changes neither the level nor the name");
	unlink(moved);
}

/* The disk is full in the middle of a line, and some time later it is not. */
static void
test_full_disk(void)
{
	const struct rlimit small = { 40, RLIM_INFINITY };
	struct rlimit before;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	ok(truncate(path, 0) == 0, "an empty file");
	setrlimit(RLIMIT_FSIZE, &small);
	log_info("cut off");
	log_info("lost");
	setrlimit(RLIMIT_FSIZE, &before);
	is_int(strlen(slurp(path)), small.rlim_cur, "a full disk takes a part of a line");
	log_info("whole");
	ok(strstr(slurp(path), "\ntime=") == text + small.rlim_cur, "the next line begins on a line of its own: %s",
	    text);
	log_info("the next");
	ok(strstr(slurp(path), "\n\n") == NULL, "and there is no empty line: %s", text);
}

static void
test_back_to_stderr(void)
{
	int saved = dup(STDERR_FILENO), fd = open(path, O_WRONLY | O_TRUNC);

	ok(log_open("test", path, LOG_INFO) == 0 && log_open("test", "", LOG_INFO) == 0, "no file any more");
	dup2(fd, STDERR_FILENO);
	log_info("to standard error");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	ok(strstr(slurp(path), "to standard error") != NULL, "goes to standard error again");
}

int
main(void)
{
	close(mkstemp(path));
	ok(log_open("test", path, LOG_INFO) == 0, "a file");
	test_line();
	test_full_disk();
	test_time();
	test_target();
	test_back_to_stderr();
	unlink(path);
	return tap_done();
}
