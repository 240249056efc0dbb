#include "http/fcgi.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <fcgiapp.h>
#include <fastcgi.h>

enum {
	DIRECT_MIN = 16 * 1024, /* what is longer does not go through the library's buffer of 8 kB */
	RECORD_MAX = 65528
};

struct fcgi_conn {
	FCGX_Request rq;
	int listen_fd;
	struct timeval silence;
};

struct fcgi_conn *
fcgi_open(int listen_fd, int64_t silence)
{
	struct fcgi_conn *c;

	if (FCGX_Init() != 0)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->listen_fd = listen_fd;
	c->silence.tv_sec = silence;
	/*
	 * The library gets no listening socket.  Left to accept for itself, it waits up to two
	 * seconds on a new connection that is silent, and without end on one that stops halfway.
	 */
	FCGX_InitRequest(&c->rq, -1, FCGI_FAIL_ACCEPT_ON_INTR);
	return c;
}

void
fcgi_close(struct fcgi_conn *c)
{
	if (c == NULL)
		return;
	FCGX_Free(&c->rq, c->rq.ipcFd >= 0);
	free(c);
}

bool
fcgi_is_kept(const struct fcgi_conn *c)
{
	return c->rq.ipcFd >= 0 && c->rq.in == NULL;
}

int
fcgi_kept_fd(const struct fcgi_conn *c)
{
	return fcgi_is_kept(c) ? c->rq.ipcFd : -1;
}

void
fcgi_drop(struct fcgi_conn *c)
{
	if (fcgi_is_kept(c))
		FCGX_Free(&c->rq, 1);
}

/* Has the peer closed the connection, rather than only its sending half? */
static bool
peer_has_gone(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP);
}

bool
fcgi_peer_has_gone(const struct fcgi_conn *c)
{
	return c->rq.ipcFd == -1 || peer_has_gone(c->rq.ipcFd);
}

static int
connection_accept(struct fcgi_conn *c)
{
	int fd;

	do {
		fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	} while (fd == -1 && (errno == EINTR || errno == ECONNABORTED));
	if (fd == -1)
		return -1;
	/* its client gave up while it waited in the backlog: do nothing of it */
	if (peer_has_gone(fd)) {
		close(fd);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &c->silence, sizeof(c->silence));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &c->silence, sizeof(c->silence));
	c->rq.ipcFd = fd;
	/* else the library, which closes what it believes finished, would close it at once */
	c->rq.keepConnection = 1;
	/* closing must not wait for the peer to close first: all that it sent has been read */
	FCGX_Detach(&c->rq);
	return 0;
}

int
fcgi_accept(struct fcgi_conn *c)
{
	if (c->rq.ipcFd < 0 && connection_accept(c) == -1)
		return 0;
	if (FCGX_Accept_r(&c->rq) != 0)
		return 0;
	/* the library takes parameters that break off, or end in an abort, for complete ones */
	if (FCGX_GetError(c->rq.in) != 0 || c->rq.role != FCGI_RESPONDER) {
		FCGX_Free(&c->rq, 1);
		return 0;
	}
	return 1;
}

const char *
fcgi_param(const struct fcgi_conn *c, const char *name)
{
	return FCGX_GetParam(name, c->rq.envp);
}

size_t
fcgi_param_count(const struct fcgi_conn *c, const char *name)
{
	size_t n = strlen(name), count = 0;

	for (char **p = c->rq.envp; *p != NULL; p++)
		count += strncmp(*p, name, n) == 0 && (*p)[n] == '=';
	return count;
}

size_t
fcgi_read(struct fcgi_conn *c, void *p, size_t n)
{
	int got = FCGX_GetStr(p, n > INT_MAX ? INT_MAX : (int)n, c->rq.in);

	return got > 0 ? (size_t)got : 0;
}

/* All of two pieces, of which the second is not empty. */
static int
write_both(int fd, struct iovec *v)
{
	while (v[1].iov_len > 0) {
		ssize_t done = TEMP_FAILURE_RETRY(writev(fd, v, 2));

		if (done <= 0)
			return -1;
		for (int i = 0; i < 2; i++) {
			size_t n = (size_t)done < v[i].iov_len ? (size_t)done : v[i].iov_len;

			v[i].iov_base = (char *)v[i].iov_base + n;
			v[i].iov_len -= n;
			done -= (ssize_t)n;
		}
	}
	return 0;
}

/* Records as long as they may be, from where the bytes are. */
static int
write_direct(struct fcgi_conn *c, const char *p, size_t n)
{
	if (FCGX_FFlush(c->rq.out) != 0)
		return -1;
	while (n > 0) {
		size_t piece = n > RECORD_MAX ? RECORD_MAX : n;
		FCGI_Header head = {
			.version = FCGI_VERSION_1,
			.type = FCGI_STDOUT,
			.requestIdB1 = (unsigned char)(c->rq.requestId >> 8),
			.requestIdB0 = (unsigned char)c->rq.requestId,
			.contentLengthB1 = (unsigned char)(piece >> 8),
			.contentLengthB0 = (unsigned char)piece,
		};
		struct iovec v[] = { { &head, sizeof(head) }, { (void *)(uintptr_t)p, piece } };

		if (write_both(c->rq.ipcFd, v) == -1) {
			/* half a record may have gone: nothing may follow it */
			(void)shutdown(c->rq.ipcFd, SHUT_RDWR);
			return -1;
		}
		p += piece;
		n -= piece;
	}
	return 0;
}

int
fcgi_write(struct fcgi_conn *c, const void *p, size_t n)
{
	if (n >= DIRECT_MIN)
		return write_direct(c, p, n);
	return FCGX_PutStr(p, (int)n, c->rq.out) == (int)n ? 0 : -1;
}

int
fcgi_finish(struct fcgi_conn *c)
{
	/* in this order: the last one to close also sends the end of the request */
	int failed = FCGX_FClose(c->rq.err) | FCGX_FClose(c->rq.out);

	FCGX_Finish_r(&c->rq);
	return failed == 0 ? 0 : -1;
}
