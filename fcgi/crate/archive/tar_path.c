#include "crate/archive/tar_path.h"

#include <stdint.h>
#include <strings.h>

#include "base/excerpt.h"
#include "base/utf8.h"

/* No usual file system keeps a longer name, so that cargo could not unpack the crate. */
enum { COMPONENT_MAX = 255 };

/* Windows opens a device for these, whatever the extension. */
static const char *const devices[] = {
	"con", "prn", "aux", "nul",
	"com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
	"lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
};

int
tar_path_shown(struct slice text)
{
	const char *end = memchr(text.p, '\n', text.n);

	return excerpt(end == NULL ? text : slice_of(text.p, (size_t)(end - text.p)));
}

int
tar_path_refuse(struct slice path, const char *reason, struct err *err)
{
	return err_set(err, 400, "invalid path found: %.*s (%s)", tar_path_shown(path),
	    path.p, reason);
}

static bool
is_device(struct slice part)
{
	size_t n = 0;

	while (n < part.n && part.p[n] != '.')
		n++;
	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++) {
		if (strlen(devices[i]) == n && strncasecmp(devices[i], part.p, n) == 0)
			return true;
	}
	return false;
}

/* NULL, or what is wrong with one component. */
static const char *
component_fault(struct slice part)
{
	if (part.n == 0)
		return "it has an empty component";
	if (part.n > COMPONENT_MAX)
		return "a component is longer than 255 bytes";
	if (slice_is(part, "."))
		return "it has a `.` component";
	if (slice_is(part, ".."))
		return "it has a `..` component";
	if (part.p[part.n - 1] == '.' || part.p[part.n - 1] == ' ')
		return "a component ends in a dot or a blank";
	if (is_device(part))
		return "it names a device of Windows";
	return NULL;
}

/* NULL, or what is wrong with the characters. */
static const char *
character_fault(struct slice path)
{
	for (size_t i = 0; i < path.n;) {
		uint32_t cp;
		size_t n = utf8_decode(path.p + i, path.n - i, &cp);

		if (n == 0)
			return "it is not UTF-8";
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			return "it has a control character";
		/* cargo does not package such names: Windows cannot store them */
		if (cp < 0x80 && strchr("\\:*?\"<>|", (int)cp) != NULL)
			return "it has a character that is special on Windows";
		i += n;
	}
	return NULL;
}

int
tar_path_check(struct slice path, bool directory, struct err *err)
{
	const char *fault;
	struct slice left = path;

	if (path.n > TAR_PATH_MAX)
		return tar_path_refuse(path, "it is longer than 1024 bytes", err);
	fault = character_fault(path);
	if (directory && left.n > 0 && left.p[left.n - 1] == '/')
		left.n--;
	while (fault == NULL) {
		const char *slash = memchr(left.p, '/', left.n);
		size_t n = slash == NULL ? left.n : (size_t)(slash - left.p);

		fault = component_fault(slice_of(left.p, n));
		if (slash == NULL)
			break;
		left = slice_of(slash + 1, left.n - n - 1);
	}
	return fault == NULL ? 0 : tar_path_refuse(path, fault, err);
}

struct slice
tar_path_below(struct slice path, struct slice folder)
{
	if (path.n <= folder.n + 1 || memcmp(path.p, folder.p, folder.n) != 0 || path.p[folder.n] != '/')
		return slice_str("");
	return slice_of(path.p + folder.n + 1, path.n - folder.n - 1);
}
