#include "pool/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/disk.h"

enum { SYSTEMD_FIRST_FD = 3 };

static int
fd_prepare(int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		return err_sys(err, "listening socket");
	return 0;
}

static bool
fd_listens(int fd)
{
	int on = 0;
	socklen_t n = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on != 0;
}

static bool
env_is(const char *name, intmax_t expected)
{
	const char *s = getenv(name);
	char *end;

	if (s == NULL || *s < '0' || *s > '9')
		return false;
	return strtoimax(s, &end, 10) == expected && *end == '\0';
}

/* The place of `write` among names such as "read:write"; -1: none, or several. */
static int
names_find_write(const char *names)
{
	static const char expected[] = "write";
	int found = -1;

	for (int i = 0; names != NULL && *names != '\0'; i++) {
		size_t n = strcspn(names, ":");

		if (n == strlen(expected) && memcmp(names, expected, n) == 0) {
			if (found != -1)
				return -1;
			found = i;
		}
		names += n + (names[n] == ':');
	}
	return found;
}

static int
passed_take(struct listeners *l, int n, int write, struct err *err)
{
	for (int i = 0; i < n; i++) {
		if (!fd_listens(SYSTEMD_FIRST_FD + i))
			return err_internal(err, 500, "systemd must pass listening sockets; check the .socket unit");
	}
	if (n == 1) {
		l->fd[WORKER_READ] = SYSTEMD_FIRST_FD;
		return 1;
	}
	if (write != 0 && write != 1)
		return err_internal(err, 500,
		    "if systemd passes two sockets, one must have FileDescriptorName=write");
	l->fd[WORKER_WRITE] = SYSTEMD_FIRST_FD + write;
	l->fd[WORKER_READ] = SYSTEMD_FIRST_FD + 1 - write;
	return 1;
}

/* 1: systemd passed the sockets; 0: it passed none. */
static int
systemd_take(struct listeners *l, struct err *err)
{
	int n = env_is("LISTEN_FDS", 1) ? 1 : env_is("LISTEN_FDS", 2) ? 2 : 0;
	int write = names_find_write(getenv("LISTEN_FDNAMES"));

	/* LISTEN_PID is there so that a child does not take for its own what its parent got */
	if (!env_is("LISTEN_PID", getpid()) || getenv("LISTEN_FDS") == NULL)
		return 0;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (n == 0)
		return err_internal(err, 500, "systemd must pass one socket or two");
	return passed_take(l, n, write, err);
}

/* 1: standard input is the socket; 0: it is something else. */
static int
stdin_take(struct listeners *l, struct err *err)
{
	int fd, null;

	if (!fd_listens(STDIN_FILENO))
		return 0;
	fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, SYSTEMD_FIRST_FD);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd == -1 || null == -1 || dup2(null, STDIN_FILENO) == -1)
		return err_sys(err, "standard input");
	close(null);
	l->fd[WORKER_READ] = fd;
	return 1;
}

/* A numeric id.  The largest is what chown(2) takes for "leave it as it is". */
static bool
id_parse(const char *text, uint32_t *id)
{
	char *end;
	uintmax_t n;

	if (*text < '0' || *text > '9')
		return false;
	n = strtoumax(text, &end, 10);
	if (*end != '\0' || n >= UINT32_MAX)
		return false;
	*id = (uint32_t)n;
	return true;
}

/* number: the errno of a search that has found nothing, perhaps because a directory service is away. */
static int
refuse_name(const char *what, const char *name, int number, struct err *err)
{
	/* which of these says "no such name" depends on the system: getpwnam(3) */
	static const int absent[] = { 0, ENOENT, ESRCH, EBADF, EPERM };

	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++) {
		if (number == absent[i])
			return err_internal(err, 500, "socket_owner: there is no %s `%s`", what, name);
	}
	errno = number;
	return err_sys(err, "socket_owner: cannot look up the %s `%s`; use its number, or start again later", what,
	    name);
}

static int
user_find(const char *name, uid_t *uid, struct err *err)
{
	const struct passwd *pw;
	int number;

	errno = 0;
	pw = getpwnam(name);
	number = errno;
	if (pw != NULL)
		*uid = pw->pw_uid;
	else if (!id_parse(name, uid))
		return refuse_name("user", name, number, err);
	return 0;
}

static int
group_find(const char *name, gid_t *gid, struct err *err)
{
	const struct group *gr;
	int number;

	errno = 0;
	gr = getgrnam(name);
	number = errno;
	if (gr != NULL)
		*gid = gr->gr_gid;
	else if (!id_parse(name, gid))
		return refuse_name("group", name, number, err);
	return 0;
}

/* user[:group], or :group alone, which an unprivileged process may set too; -1 where not given. */
static int
owner_find(const char *owner, uid_t *uid, gid_t *gid, struct err *err)
{
	char user[256];
	size_t n = strcspn(owner, ":");

	*uid = (uid_t)-1;
	*gid = (gid_t)-1;
	if (n >= sizeof(user))
		return err_internal(err, 500, "socket_owner is too long");
	memcpy(user, owner, n);
	user[n] = '\0';
	if (n > 0 && user_find(user, uid, err) == -1)
		return -1;
	return owner[n] == ':' ? group_find(owner + n + 1, gid, err) : 0;
}

static int
owner_set(const char *path, const char *owner, struct err *err)
{
	uid_t uid;
	gid_t gid;

	if (owner_find(owner, &uid, &gid, err) == -1)
		return -1;
	if (lchown(path, uid, gid) == -1)
		return err_sys(err, "cannot give %s to %s", path, owner);
	return 0;
}

/*
 * Locks the directory of the path, until the descriptor is closed.  A socket that is bound and does not
 * listen yet looks like one that an earlier run has left, so one pool at a time looks and binds.
 * Returns the descriptor, or -1 if the directory cannot be opened.  Without the lock, or if another process
 * keeps it for 5 s, the pool goes on: the lock only helps.
 */
static int
directory_lock(const char *path)
{
	enum { TRIES = 500, PAUSE_MS = 10 }; /* 5 s; a pool holds the lock for far less */
	const char *slash = strrchr(path, '/');
	char directory[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int fd;

	snprintf(directory, sizeof(directory), "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
	    slash == NULL ? "." : path);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd != -1 && i < TRIES && disk_lock(fd) == 0; i++)
		(void)poll(NULL, 0, PAUSE_MS);
	return fd;
}

/* Removes what an earlier run left at the path; refuses to touch anything else. */
static int
stale_remove(const struct sockaddr_un *sa, struct err *err)
{
	struct stat st;
	int fd, rc;

	if (lstat(sa->sun_path, &st) == -1)
		return errno == ENOENT ? 0 : err_sys(err, "%s", sa->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_internal(err, 500, "%s already exists and is not a socket", sa->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return err_sys(err, "socket");
	rc = connect(fd, (const struct sockaddr *)sa, sizeof(*sa));
	/* only this error says that no process listens; EAGAIN comes from one that is busy */
	if (rc == -1 && errno == ECONNREFUSED)
		rc = unlink(sa->sun_path) == -1 ? err_sys(err, "%s", sa->sun_path) : 0;
	else
		rc = err_internal(err, 500, "another process already listens on %s", sa->sun_path);
	close(fd);
	return rc;
}

/* The file is there for nobody until its owner and mode are right. */
static int
path_bind(int fd, const struct sockaddr_un *sa, const struct settings *s, struct err *err)
{
	mode_t mask = umask(0777);
	int rc = bind(fd, (const struct sockaddr *)sa, sizeof(*sa));

	umask(mask);
	if (rc == -1)
		return err_sys(err, "cannot bind %s", sa->sun_path);
	if (s->socket_owner[0] != '\0' && owner_set(sa->sun_path, s->socket_owner, err) == -1)
		rc = -1;
	else if (chmod(sa->sun_path, (mode_t)s->socket_mode) == -1)
		rc = err_sys(err, "cannot set the mode of %s", sa->sun_path);
	else if (listen(fd, SOMAXCONN) == -1)
		rc = err_sys(err, "cannot listen on %s", sa->sun_path);
	if (rc == -1)
		unlink(sa->sun_path);
	return rc;
}

static const struct {
	const char *key;
	size_t offset;
} paths[WORKER__KINDS] = {
	[WORKER_READ] = { "socket", offsetof(struct settings, socket) },
	[WORKER_WRITE] = { "write_socket", offsetof(struct settings, write_socket) },
};

static const char *
path_of(const struct settings *s, size_t kind)
{
	return *(const char *const *)(const void *)((const char *)s + paths[kind].offset);
}

static int
paths_check(const struct settings *s, struct err *err)
{
	const size_t room = sizeof(((struct sockaddr_un *)0)->sun_path);

	for (size_t i = 0; i < WORKER__KINDS; i++) {
		if (strlen(path_of(s, i)) >= room)
			return err_internal(err, 500, "%s: the path of a socket has at most %zu bytes; use a shorter one",
			    paths[i].key, room - 1);
	}
	if (strcmp(s->socket, s->write_socket) != 0)
		return 0;
	return err_internal(err, 500,
	    "write_socket: %s is also the path of `socket`; choose another one", s->write_socket);
}

int
listen_check(const struct settings *s, struct err *err)
{
	uid_t uid;
	gid_t gid;

	return paths_check(s, err) == -1 ? -1 : owner_find(s->socket_owner, &uid, &gid, err);
}

static int
path_open(const struct settings *s, const char *path, struct err *err)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int lock = directory_lock(path), fd = -1, rc;

	memcpy(sa.sun_path, path, strlen(path));
	rc = stale_remove(&sa, err);
	if (rc == 0 && (fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) == -1)
		rc = err_sys(err, "socket");
	if (rc == 0)
		rc = path_bind(fd, &sa, s, err);
	if (lock != -1)
		close(lock);
	if (rc == -1 && fd != -1)
		close(fd);
	return rc == -1 ? -1 : fd;
}

static int
own_open(const struct settings *s, struct listeners *l, struct err *err)
{
	if (paths_check(s, err) == -1)
		return -1;
	/* the socket for reads last: when it answers, the other one does, too */
	for (size_t i = WORKER__KINDS; i-- > 0;) {
		l->fd[i] = path_open(s, path_of(s, i), err);
		if (l->fd[i] == -1)
			return -1;
	}
	return 0;
}

void
listen_close(const struct settings *s, struct listeners *l)
{
	for (size_t i = 0; i < WORKER__KINDS; i++) {
		if (l->fd[i] == -1)
			continue;
		if (l->own)
			unlink(path_of(s, i));
		close(l->fd[i]);
		l->fd[i] = -1;
	}
}

static int
passed_prepare(const struct listeners *l, struct err *err)
{
	for (size_t i = 0; i < WORKER__KINDS; i++) {
		if (l->fd[i] != -1 && fd_prepare(l->fd[i], err) == -1)
			return -1;
	}
	return 0;
}

int
listen_open(const struct settings *s, struct listeners *l, struct err *err)
{
	int taken;
	int rc;

	*l = (struct listeners) { .fd = { -1, -1 } };
	taken = systemd_take(l, err);
	if (taken == 0)
		taken = stdin_take(l, err);
	l->own = taken == 0;
	if (taken == -1)
		rc = -1;
	else
		rc = l->own ? own_open(s, l, err) : passed_prepare(l, err);
	if (rc == -1)
		listen_close(s, l);
	return rc;
}
