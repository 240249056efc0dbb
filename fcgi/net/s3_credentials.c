#include "net/s3_credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct slice
trim(struct slice s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = slice_of(s.p + 1, s.n - 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

static void
take_line(struct arena *a, struct slice line, struct s3_credentials *c)
{
	const struct {
		const char *name, **value;
	} names[] = { { "aws_access_key_id", &c->key_id }, { "aws_secret_access_key", &c->secret },
		{ "aws_session_token", &c->session } };
	const char *sign = memchr(line.p, '=', line.n);
	struct slice name, value;

	if (sign == NULL)
		return;
	name = trim(slice_of(line.p, (size_t)(sign - line.p)));
	value = trim(slice_of(sign + 1, line.n - (size_t)(sign - line.p) - 1));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (slice_is(name, names[i].name) && value.n > 0)
			*names[i].value = arena_slicedup(a, value);
	}
}

/* The values become parts of headers. */
static bool
is_visible(const char *value)
{
	for (; value != NULL && *value != '\0'; value++) {
		if (*value <= ' ' || *value > '~')
			return false;
	}
	return true;
}

static int
check(const struct s3_credentials *c, const char *from, struct err *err)
{
	if (c->key_id == NULL || c->secret == NULL)
		return err_internal(err, 500, "credentials of the object store: %s lacks %s", from,
		    c->key_id == NULL ? "the access key's id" : "the secret access key");
	if (!is_visible(c->key_id) || !is_visible(c->secret) || !is_visible(c->session))
		return err_internal(err, 500,
		    "credentials of the object store: the values of %s must have only visible ASCII characters", from);
	return 0;
}

int
s3_credentials_parse(struct arena *a, struct slice text, const char *from, struct s3_credentials *c,
    struct err *err)
{
	bool ours = true;

	*c = (struct s3_credentials) { NULL, NULL, NULL };
	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end == NULL ? text.n : (size_t)(end - text.p);
		struct slice line = trim(slice_of(text.p, n));

		text = end == NULL ? slice_of("", 0) : slice_of(end + 1, text.n - n - 1);
		if (line.n > 0 && line.p[0] == '[')
			ours = slice_is(line, "[default]");
		else if (ours && line.n > 0 && line.p[0] != '#' && memchr(line.p, '\0', line.n) == NULL)
			take_line(a, line, c);
	}
	return check(c, from, err);
}

static int
read_file(struct arena *a, const char *path, struct s3_credentials *c, struct err *err)
{
	char *text = arena_alloc(a, S3_CREDENTIALS_MAX);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : disk_read_all(fd, text, S3_CREDENTIALS_MAX);

	if (n == -1 && errno == EFBIG)
		err_internal(err, 500, "credentials of the object store: %s is longer than %d bytes", path,
		    S3_CREDENTIALS_MAX);
	else if (n == -1)
		err_sys(err, "credentials of the object store: cannot read %s", path);
	if (fd != -1)
		close(fd);
	if (n == -1)
		return -1;
	return s3_credentials_parse(a, slice_of(text, (size_t)n), path, c, err);
}

int
s3_credentials_read(struct arena *a, const char *path, struct s3_credentials *c, struct err *err)
{
	if (path[0] != '\0')
		return read_file(a, path, c, err);
	*c = (struct s3_credentials) { getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"),
		getenv("AWS_SESSION_TOKEN") };
	if (c->session != NULL && c->session[0] == '\0')
		c->session = NULL;
	return check(c, "the environment", err);
}
