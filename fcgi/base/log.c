#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/decimal.h"

static struct {
	char program[32];
	char path[1024]; /* "": standard error */
	int fd;
	enum log_level level;
	bool torn; /* the last line has no end: the disk was full */
} out = { "berth", "", STDERR_FILENO, LOG_INFO, false };

static const char *const level_names[LOG__MAX] = { "error", "warn", "info", "debug" };

bool
log_level_named(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < LOG__MAX; i++) {
		if (strcmp(level_names[i], name) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static int
open_path(const char *path)
{
	int fd = path[0] == '\0' ? STDERR_FILENO : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

	if (fd == -1)
		return -1;
	if (out.fd != STDERR_FILENO)
		close(out.fd);
	out.fd = fd;
	out.torn = false;
	return 0;
}

int
log_open(const char *program, const char *path, enum log_level level)
{
	if (path == NULL)
		path = "";
	if (strlen(path) >= sizeof(out.path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (open_path(path) == -1)
		return -1;
	snprintf(out.program, sizeof(out.program), "%s", program);
	snprintf(out.path, sizeof(out.path), "%s", path);
	out.level = level;
	return 0;
}

struct log_target
log_target(void)
{
	return (struct log_target) { out.path, out.fd, out.level };
}

void
log_take(const char *program, const struct log_target *target)
{
	snprintf(out.program, sizeof(out.program), "%s", program);
	snprintf(out.path, sizeof(out.path), "%s", target->path);
	out.fd = target->fd;
	out.level = target->level;
}

/* Bytes of a line before the newline; what does not fit is dropped. */
static void
put(struct log_line *l, const char *p, size_t n)
{
	size_t room = sizeof(l->p) - 1 - l->n;

	if (n > room)
		n = room;
	memcpy(l->p + l->n, p, n);
	l->n += n;
}

/* The time in UTC, "2026-01-31T12:34:56.789Z".  Within a second only its last digits are made anew. */
static struct slice
time_text(void)
{
	static struct {
		time_t second;
		char text[CLOCK_RFC3339_SIZE + 4];
	} now;
	const size_t seconds = CLOCK_RFC3339_SIZE - 2; /* without `Z` and NUL */
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (ts.tv_sec != now.second || now.text[0] == '\0') {
		clock_rfc3339(ts.tv_sec, now.text);
		memcpy(now.text + seconds, ".000Z", sizeof(".000Z"));
		now.second = ts.tv_sec;
	}
	decimal_write_digits((uint64_t)(ts.tv_nsec / 1000000), now.text + seconds + 1, 3);
	return slice_of(now.text, seconds + 5);
}

static bool
is_plain(struct slice s)
{
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return false;
	}
	return true;
}

/* A byte as it stands between quotes: itself, or an escape.  Returns its length. */
static size_t
escape(unsigned char c, char text[5])
{
	if (c == '"' || c == '\\')
		return (size_t)snprintf(text, 5, "\\%c", c);
	if (c < 0x20 || c >= 0x7f)
		return (size_t)snprintf(text, 5, "\\x%02x", c);
	text[0] = (char)c;
	return 1;
}

/* What is cut ends in a whole escape and a quote. */
static void
put_quoted(struct log_line *l, struct slice s)
{
	put(l, "\"", 1);
	for (size_t i = 0; i < s.n; i++) {
		char text[5];
		size_t n = escape((unsigned char)s.p[i], text);

		if (l->n + n + 1 > sizeof(l->p) - 1)
			break;
		put(l, text, n);
	}
	put(l, "\"", 1);
}

static void
put_key(struct log_line *l, const char *key)
{
	if (l->n > 0)
		put(l, " ", 1);
	put(l, key, strlen(key));
	put(l, "=", 1);
}

void
log_begin(struct log_line *l, enum log_level level, const char *event)
{
	l->n = 0;
	l->level = level;
	log_str(l, "time", time_text());
	log_str(l, "level", slice_str(level_names[level]));
	log_str(l, "program", slice_str(out.program));
	log_int(l, "pid", getpid());
	log_str(l, "event", slice_str(event));
}

void
log_str(struct log_line *l, const char *key, struct slice value)
{
	put_key(l, key);
	if (is_plain(value))
		put(l, value.p, value.n);
	else
		put_quoted(l, value);
}

void
log_int(struct log_line *l, const char *key, int64_t value)
{
	char text[DECIMAL_SIZE];
	size_t n = decimal_write(value, text);

	put_key(l, key);
	put(l, text, n);
}

void
log_ms(struct log_line *l, const char *key, int64_t us)
{
	char text[DECIMAL_SIZE + 4];
	size_t n = decimal_write(us / 1000, text);

	text[n++] = '.';
	decimal_write_digits((uint64_t)us % 1000, text + n, 3);
	put_key(l, key);
	put(l, text, n + 3);
}

void
log_end(struct log_line *l)
{
	ssize_t done;

	if (l->level > out.level)
		return;
	l->p[l->n] = '\n';
	if (out.torn && TEMP_FAILURE_RETRY(write(out.fd, "\n", 1)) == 1)
		out.torn = false;
	done = TEMP_FAILURE_RETRY(write(out.fd, l->p, l->n + 1));
	/* a full disk must not stop the service: there is nobody left to tell */
	if (done > 0 && (size_t)done <= l->n)
		out.torn = true;
}

static void __attribute__((format(printf, 2, 0)))
message(enum log_level level, const char *fmt, va_list ap)
{
	struct log_line l;
	char text[2048];
	int saved = errno;

	if (level > out.level)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	log_begin(&l, level, "message");
	log_str(&l, "msg", slice_str(text));
	log_end(&l);
	errno = saved;
}

#define LOG_FUNCTION(name, level)          \
	void name(const char *fmt, ...)    \
	{                                  \
		va_list ap;                \
                                           \
		va_start(ap, fmt);         \
		message(level, fmt, ap);   \
		va_end(ap);                \
	}

LOG_FUNCTION(log_error, LOG_ERROR)
LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_info, LOG_INFO)

void
log_reopen(void)
{
	if (open_path(out.path) == -1)
		log_error("cannot reopen the log file %s: %s; until you make that path writable for the program's user "
		    "and send SIGUSR1 again, lines go to the old file", out.path, strerrordesc_np(errno));
}
