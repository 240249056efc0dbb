#ifndef T_FCGI_CLIENT_H
#define T_FCGI_CLIENT_H

/* The other end of FastCGI, as nginx has it: one request on a UNIX socket. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENT_PATIENCE_S = 30 };

enum { BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6 };

static int
client_connect(const char *path)
{
	const struct timeval patience = { .tv_sec = CLIENT_PATIENCE_S };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(sa.sun_path, path, strlen(path));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
client_record(int fd, int type, const void *p, size_t n)
{
	unsigned char head[8] = { 1, (unsigned char)type, 0, 1, (unsigned char)(n >> 8),
		(unsigned char)n, 0, 0 };

	/* a peer that has gone shows when the answer is read */
	(void)!send(fd, head, sizeof(head), MSG_NOSIGNAL | (n > 0 ? MSG_MORE : 0));
	if (n > 0)
		(void)!send(fd, p, n, MSG_NOSIGNAL);
}

static size_t
client_param(unsigned char *out, const char *name, const char *value)
{
	size_t n = strlen(name), m = strlen(value);

	out[0] = (unsigned char)n;
	out[1] = (unsigned char)m;
	memcpy(out + 2, name, n);
	memcpy(out + 2 + n, value, m);
	return 2 + n + m;
}

static void
client_send(int fd, const char *method, const char *uri, const char *body, size_t n, bool keep)
{
	const unsigned char begin[8] = { 0, 1, keep, 0, 0, 0, 0, 0 };
	unsigned char params[512];
	char length[24];
	size_t at = 0;

	snprintf(length, sizeof(length), "%zu", n);
	at += client_param(params + at, "REQUEST_METHOD", method);
	at += client_param(params + at, "REQUEST_URI", uri);
	at += client_param(params + at, "CONTENT_LENGTH", length);
	client_record(fd, BEGIN, begin, sizeof(begin));
	client_record(fd, PARAMS, params, at);
	client_record(fd, PARAMS, NULL, 0);
	while (n > 0) {
		size_t piece = n > 32768 ? 32768 : n;

		client_record(fd, STDIN, body, piece);
		body += piece;
		n -= piece;
	}
	client_record(fd, STDIN, NULL, 0);
}

static bool
client_read(int fd, void *p, size_t n)
{
	return n == 0 || recv(fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

/* The whole answer as text, or NULL where it did not end as it must. */
static const char *
client_answer(int fd)
{
	static char out[1 << 20];
	static unsigned char content[65536 + 256];
	unsigned char head[8];
	size_t at = 0;

	while (client_read(fd, head, sizeof(head))) {
		size_t n = (size_t)head[4] << 8 | head[5];

		if (!client_read(fd, content, n + head[6]))
			return NULL;
		if (head[1] == END) {
			out[at] = '\0';
			return out;
		}
		if (head[1] == STDOUT && at + n < sizeof(out)) {
			memcpy(out + at, content, n);
			at += n;
		}
	}
	return NULL;
}

/* One request on a connection of its own. */
static const char *
client_fetch(const char *path, const char *method, const char *uri, const char *body, size_t n)
{
	int fd = client_connect(path);
	const char *answer;

	if (fd == -1)
		return NULL;
	client_send(fd, method, uri, body, n, false);
	answer = client_answer(fd);
	close(fd);
	return answer;
}

#endif
