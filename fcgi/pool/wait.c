#include "pool/wait.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { SIGNAL, REQUEST, N };

/* A worker may be killed after it was woken for a connection and before it takes it: so the others look. */
enum { LOOK_MS = 1000 };

struct wait {
	int signal_fd;
	int epoll_fd;
};

static int
epoll_add(const struct wait *w, int fd, unsigned what, unsigned flags)
{
	struct epoll_event e = { .events = EPOLLIN | flags, .data.u32 = what };

	return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &e);
}

struct wait *
wait_new(int signal_fd, int listen_fd)
{
	struct wait *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->signal_fd = signal_fd;
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll_fd != -1 && epoll_add(w, signal_fd, SIGNAL, 0) == 0 &&
	    epoll_add(w, listen_fd, REQUEST, EPOLLEXCLUSIVE) == 0)
		return w;
	wait_free(w);
	return NULL;
}

void
wait_free(struct wait *w)
{
	if (w == NULL)
		return;
	if (w->epoll_fd != -1)
		close(w->epoll_fd);
	free(w);
}

/* The listening socket is left to the others. */
static int
wait_kept(const struct wait *w, int kept_fd, int timeout_ms, bool *ready)
{
	struct pollfd fds[N] = {
		[SIGNAL] = { .fd = w->signal_fd, .events = POLLIN },
		[REQUEST] = { .fd = kept_fd, .events = POLLIN },
	};
	int n = poll(fds, N, timeout_ms);

	for (int i = 0; n > 0 && i < N; i++)
		ready[i] = fds[i].revents != 0;
	return n;
}

static int
wait_new_one(const struct wait *w, int timeout_ms, bool *ready)
{
	struct epoll_event events[N];
	int n;

	if (timeout_ms == -1 || timeout_ms > LOOK_MS)
		timeout_ms = LOOK_MS;
	n = epoll_wait(w->epoll_fd, events, N, timeout_ms);
	for (int i = 0; i < n; i++)
		ready[events[i].data.u32] = true;
	return n;
}

int
wait_any(struct wait *w, int kept_fd, int timeout_ms, struct wait_ready *out)
{
	bool ready[N] = { false };
	int n = kept_fd != -1 ? wait_kept(w, kept_fd, timeout_ms, ready)
	                      : wait_new_one(w, timeout_ms, ready);

	*out = (struct wait_ready) { ready[SIGNAL], ready[REQUEST] };
	return n;
}
