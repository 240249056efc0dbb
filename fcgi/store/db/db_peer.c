#include "store/db/db_peer.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* Its user id, or -1: the process connects as itself. */
static uid_t
user_of_role(const char *conninfo)
{
	PQconninfoOption *options = geteuid() == 0 ? PQconninfoParse(conninfo, NULL) : NULL;
	const struct passwd *user = NULL;

	if (options == NULL)
		return (uid_t)-1;
	const char *role = given(options, "user"), *host = given(options, "host");
	bool is_local = (host == NULL || host[0] == '/') && given(options, "hostaddr") == NULL;
	bool has_password = given(options, "password") != NULL || given(options, "passfile") != NULL;

	if (role != NULL && is_local && !has_password)
		user = getpwnam(role);
	PQconninfoFree(options);
	return user != NULL ? user->pw_uid : (uid_t)-1;
}

PGconn *
db_peer_connect(PGconn *(*connect)(const char *const *, const char *const *, int), const char *const *keys,
    const char *const *values, const char *conninfo)
{
	uid_t user = user_of_role(conninfo);
	PGconn *pg;

	/* the system call and not seteuid(), which changes all threads */
	if (user == (uid_t)-1 || syscall(SYS_setresuid, (uid_t)-1, user, (uid_t)-1) == -1)
		return connect(keys, values, 1);
	pg = connect(keys, values, 1);
	if (syscall(SYS_setresuid, (uid_t)-1, 0, (uid_t)-1) == -1)
		abort();
	return pg;
}
