#include "cache/cache_signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"

int
cache_signals_open(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd == -1)
		log_error("cache: cannot create a signalfd: %s", strerrordesc_np(errno));
	return fd;
}

/* Reads one signal.  True: it is SIGTERM. */
static bool
take(int signal_fd)
{
	struct signalfd_siginfo info;

	if (read(signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return false;
	if (info.ssi_signo == SIGTERM)
		return true;
	if (log_reopen() == -1)
		log_error("cannot reopen the log: %s", strerrordesc_np(errno));
	return false;
}

bool
cache_signals_wait(int signal_fd, int database_fd, int hint_fd, int ms)
{
	enum { SIGNAL, DATABASE, HINT, N };
	struct pollfd fds[N] = {
		[SIGNAL] = { .fd = signal_fd, .events = POLLIN },
		[DATABASE] = { .fd = database_fd, .events = POLLIN },
		[HINT] = { .fd = hint_fd, .events = POLLIN },
	};

	return poll(fds, N, ms) > 0 && fds[SIGNAL].revents != 0 && take(signal_fd);
}
