#include "store/db/db_peer.h"

#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/db/db.h"

/* What is given, by the string or by the environment; NULL: nothing. */
static const char *
given(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++) {
		if (strcmp(options->keyword, keyword) != 0)
			continue;
		if (options->val != NULL)
			return options->val;
		return options->envvar != NULL ? getenv(options->envvar) : NULL;
	}
	return NULL;
}

/* One local socket: a service may name any host, and of several hosts libpq tries the others later. */
static bool
is_local(const PQconninfoOption *options)
{
	const char *host = given(options, "host");

	return (host == NULL || (host[0] == '/' && strchr(host, ',') == NULL)) &&
	    given(options, "hostaddr") == NULL && given(options, "service") == NULL;
}

/* A password of root's own, which the user could not read. */
static bool
has_password(const PQconninfoOption *options)
{
	const char *home = getenv("HOME");
	char path[PATH_MAX];

	if (given(options, "password") != NULL || given(options, "passfile") != NULL)
		return true;
	snprintf(path, sizeof(path), "%s/.pgpass", home != NULL ? home : "/root");
	return access(path, F_OK) == 0;
}

uid_t
db_peer_user(const char *conninfo)
{
	PQconninfoOption *options = geteuid() == 0 ? PQconninfoParse(conninfo, NULL) : NULL;
	const struct passwd *user = NULL;
	const char *role;

	if (options == NULL)
		return (uid_t)-1;
	role = given(options, "user");
	if (role != NULL && is_local(options) && !has_password(options))
		user = getpwnam(role);
	PQconninfoFree(options);
	return user != NULL ? user->pw_uid : (uid_t)-1;
}

PGconn *
db_peer_connect(PGconn *(*connect)(const char *const *, const char *const *, int), const char *const *keys,
    const char *const *values, const char *conninfo)
{
	uid_t user = db_peer_user(conninfo);
	PGconn *pg;

	/* the system call and not seteuid(), which changes all threads */
	if (user == (uid_t)-1 || syscall(SYS_setresuid, (uid_t)-1, user, (uid_t)-1) == -1)
		return connect(keys, values, 1);
	pg = connect(keys, values, 1);
	if (syscall(SYS_setresuid, (uid_t)-1, 0, (uid_t)-1) == -1)
		abort();
	return pg;
}
