#include "access/naming.h"

#include <stdbool.h>

#include "base/url.h"
#include "base/utf8.h"

enum { EMAIL_MAX = 254 };

static bool
is_name_byte(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')
		return true;
	return !first && (c == '.' || c == '-');
}

static int
check_segment(const char *what, struct slice s, struct err *err)
{
	if (s.n == 0)
		return err_set(err, 400, "%s is empty or has an empty part", what);
	if (s.n > NAMING_NAME_MAX)
		return err_set(err, 400, "%s is longer than %d bytes", what, NAMING_NAME_MAX);
	for (size_t i = 0; i < s.n; i++) {
		if (!is_name_byte(s.p[i], i == 0))
			return err_set(err, 400,
			    "%s `%.*s` may contain only letters, digits and `_`, and `.` and `-` inside",
			    what, (int)s.n, s.p);
	}
	return 0;
}

int
naming_check_username(const char *name, struct err *err)
{
	return check_segment("username", slice_str(name), err);
}

int
naming_check_path(const char *what, const char *path, struct err *err)
{
	int depth = 0;

	if (strlen(path) > NAMING_PATH_MAX)
		return err_set(err, 400, "%s is longer than %d bytes", what, NAMING_PATH_MAX);
	for (;;) {
		size_t n = strcspn(path, "/");

		if (check_segment(what, slice_of(path, n), err) == -1)
			return -1;
		if (++depth > NAMING_DEPTH_MAX)
			return err_set(
			    err, 400, "%s has more than %d levels", what, NAMING_DEPTH_MAX);
		if (path[n] == '\0')
			return 0;
		path += n + 1;
	}
}

int
naming_check_text(const char *what, const char *text, struct err *err)
{
	struct slice s = slice_str(text);

	if (!utf8_valid(s))
		return err_set(err, 400, "%s is not valid UTF-8", what);
	if (utf8_length(s) > NAMING_TEXT_MAX)
		return err_set(err, 400, "%s is longer than %d characters", what, NAMING_TEXT_MAX);
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return err_set(err, 400, "%s holds a control character", what);
	}
	return 0;
}

const char *
naming_clean_text(const char *text)
{
	struct err wrong;

	return text != NULL && naming_check_text("text", text, &wrong) == 0 ? text : NULL;
}

int
naming_check_url(const char *what, const char *url, struct err *err)
{
	if (naming_check_text(what, url, err) == -1)
		return -1;
	if (!url_is_web(slice_str(url)))
		return err_set(err, 400, "%s must be a URL that begins with https:// or http://, not `%s`",
		    what, url);
	return 0;
}

const char *
naming_clean_url(const char *url)
{
	struct err wrong;

	return url != NULL && naming_check_url("URL", url, &wrong) == 0 ? url : NULL;
}

int
naming_check_email(const char *email, struct err *err)
{
	const char *at = strrchr(email, '@');

	if (naming_check_text("e-mail address", email, err) == -1)
		return -1;
	if (at == NULL || at == email || at[1] == '\0' || strchr(email, ' ') != NULL ||
	    strlen(email) > EMAIL_MAX)
		return err_set(err, 400, "`%s` is not an e-mail address", email);
	return 0;
}

void
naming_split(const char *path, struct slice *parent, const char **name)
{
	const char *slash = strrchr(path, '/');

	*parent = slice_of(path, slash != NULL ? (size_t)(slash - path) : 0);
	*name = slash != NULL ? slash + 1 : path;
}
