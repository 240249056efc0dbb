#ifndef CACHE_CACHE_SIGNALS_H
#define CACHE_CACHE_SIGNALS_H

/*
 * The keeper's process blocks its signals, and reads them from a descriptor while it waits for other events.
 */

#include <stdbool.h>

/* Opens a signalfd for SIGTERM and SIGUSR1; the caller closes it.  -1: the kernel refuses it; logs why. */
int cache_signals_open(void);

/*
 * Waits at most `ms` milliseconds for a signal, or until database_fd or hint_fd can be read; -1 stands for no
 * descriptor.  SIGUSR1 reopens the log.  Returns whether SIGTERM has arrived.
 */
bool cache_signals_wait(int signal_fd, int database_fd, int hint_fd, int ms);

#endif
