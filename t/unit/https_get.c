/* net/https_get: a GET ends in its time, whatever takes so long, and its error says who is to blame.
 * t/650-oidc.t and t/651-proxy.t test the rest. */

#include "net/https_get.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tap.h"

enum { SLOW_S = 6, SECOND_US = 1000000 };

/* In place of the system's: name servers that do not answer. */
int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
    struct addrinfo **res)
{
	(void)node;
	(void)service;
	(void)hints;
	(void)res;
	sleep(SLOW_S);
	return EAI_AGAIN;
}

/* Reads a request to its empty line.  False: the peer has hung up. */
static bool
read_head(int fd)
{
	char head[4096];
	size_t n = 0;

	while (n < sizeof(head) && memmem(head, n, "\r\n\r\n", 4) == NULL) {
		ssize_t got = read(fd, head + n, sizeof(head) - n);

		if (got <= 0)
			return false;
		n += (size_t)got;
	}
	return true;
}

static const char tunnel[] = "HTTP/1.1 200 OK\r\n\r\n";

/* The proxy gives a tunnel, and the server behind it answers once. */
static bool
serve(int fd, const char *answer)
{
	return read_head(fd) && write(fd, tunnel, sizeof(tunnel) - 1) > 0 && read_head(fd) &&
	    write(fd, answer, strlen(answer)) > 0;
}

/* Is the proxy and, behind its tunnel, a server that answers once, and after that no more. */
static void
serve_once(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (serve(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
		while (read_head(fd))
			;
}

/* Is a proxy that refuses the second host, to which the first one redirects. */
static void
serve_redirect(int listener)
{
	static const char refusal[] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
	int fd = accept(listener, NULL, NULL), second;

	if (!serve(fd, "HTTP/1.1 302 Found\r\nLocation: http://other.invalid/\r\nContent-Length: 0\r\n\r\n"))
		return;
	second = accept(listener, NULL, NULL);
	if (read_head(second) && write(second, refusal, sizeof(refusal) - 1) > 0)
		(void)read_head(second);
}

/* Starts a proxy; sets the address of it.  Its child ends when `serve_all` does. */
static pid_t
start_proxy(struct arena *a, void (*serve_all)(int listener), const char **address)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(any);
	pid_t pid;

	if (bind(listener, (struct sockaddr *)&any, n) == -1 || listen(listener, 1) == -1 ||
	    getsockname(listener, (struct sockaddr *)&any, &n) == -1 || (pid = fork()) == -1)
		abort();
	if (pid == 0) {
		serve_all(listener);
		_exit(0);
	}
	close(listener);
	*address = arena_printf(a, "http://127.0.0.1:%d", ntohs(any.sin_port));
	return pid;
}

/* What fails in a tunnel that was there already is not the proxy's fault. */
static void
test_kept_tunnel(void)
{
	struct arena *a = arena_new();
	struct https_get get = { .url = "http://server.invalid/", .plain = true, .ca_file = "", .proxy_except = "",
		.connections = https_connections_new(a) };
	struct https_answer answer;
	struct err err = { 0 };
	pid_t pid = start_proxy(a, serve_once, &get.proxy);

	is_int(https_get(a, &get, &answer, &err), 0, "an answer through a proxy");
	get.timeout_ms = 500;
	is_int(https_get(a, &get, &answer, &err), -1, "none in the same tunnel");
	ok(strstr(err.detail, " through the proxy 127.0.0.1:") != NULL, "the proxy is not blamed: %s", err.detail);
	arena_free(a);
	is_int(waitpid(pid, NULL, 0), pid, "the tunnel is closed");
}

/* A proxy that refuses the host of a redirect is to blame, although the first host has answered. */
static void
test_refused_redirect(void)
{
	struct arena *a = arena_new();
	struct https_get get = { .url = "http://server.invalid/", .plain = true, .redirects = true, .ca_file = "",
		.proxy_except = "" };
	struct https_answer answer;
	struct err err = { 0 };
	pid_t pid = start_proxy(a, serve_redirect, &get.proxy);

	is_int(https_get(a, &get, &answer, &err), -1, "no answer of a host that the proxy refuses");
	ok(strstr(err.detail, " answers 403: allow the host there") != NULL, "the proxy is blamed: %s", err.detail);
	arena_free(a);
	is_int(waitpid(pid, NULL, 0), pid, "the proxy ends");
}

/* An error that is left from an earlier call is not that of this one. */
static void
test_own_error(void)
{
	struct arena *a = arena_new();
	const struct https_get get = { .url = "http://server.invalid/", .plain = true, .ca_file = "",
		.proxy = "http://127.0.0.1:1", .proxy_except = "" };
	struct https_answer answer;
	struct err err = { 0 };

	err_set(&err, 409, "earlier");
	is_int(https_get(a, &get, &answer, &err), -1, "no answer after an earlier error");
	is_int(err.status, 503, "its own error");
	arena_free(a);
}

int
main(void)
{
	struct arena *a = arena_new();
	struct https_get get = { .url = "https://slow.invalid/", .ca_file = "", .proxy = "", .proxy_except = "",
		.deadline_us = clock_us() + SECOND_US };
	struct https_answer answer;
	struct err err = { 0 };
	int64_t started = clock_us();

	is_int(https_get(a, &get, &answer, &err), -1, "a name that is not found in time");
	is_int(err.status, 503, "the other side cannot be reached");
	/* what was used for it is given back as well */
	arena_free(a);
	ok(clock_us() - started < SLOW_S * (int64_t)SECOND_US - SECOND_US,
	    "nobody waits until it is found");
	test_kept_tunnel();
	test_refused_redirect();
	test_own_error();
	return tap_done();
}
