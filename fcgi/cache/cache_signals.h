#ifndef CACHE_CACHE_SIGNALS_H
#define CACHE_CACHE_SIGNALS_H

/* The signals of the keeper's process, which are blocked: it reads them while it waits for other things. */

#include <stdbool.h>

/* A signalfd for SIGTERM and SIGUSR1, which the caller closes.  -1: the kernel refuses one; logged. */
int cache_signals_open(void);

/*
 * Waits at most `ms` milliseconds for a signal, or until database_fd or hint_fd can be read; -1 stands for no
 * descriptor.  SIGUSR1 reopens the log.  Returns whether SIGTERM has arrived.
 */
bool cache_signals_wait(int signal_fd, int database_fd, int hint_fd, int ms);

#endif
