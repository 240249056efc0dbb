#include "admin/operator.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/utf8.h"

/* More than any system lets a user or a host be called. */
enum { NAME_MAX_BYTES = 255 };

/* The name, if it is one that can be recorded. */
static const char *
sound(struct arena *a, const char *name)
{
	struct slice s;

	if (name == NULL)
		return NULL;
	s = slice_str(name);
	return s.n > 0 && s.n <= NAME_MAX_BYTES && utf8_valid(s) ? arena_slicedup(a, s) : NULL;
}

static const char *
system_user(struct arena *a)
{
	uid_t uid = getuid();
	const struct passwd *pw = getpwuid(uid);
	const char *name = pw != NULL ? sound(a, pw->pw_name) : NULL;

	return name != NULL ? name : arena_printf(a, "uid %ld", (long)uid);
}

struct audit_actor
operator_actor(struct arena *a)
{
	char host[NAME_MAX_BYTES + 1] = "";
	struct audit_actor actor = {
		.system_user = system_user(a),
		.sudo_user = sound(a, getenv("SUDO_USER")),
	};

	if (gethostname(host, sizeof(host) - 1) == 0)
		actor.host = sound(a, host);
	return actor;
}
