#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

/*
 * A process that its master has started blocks its signals, and reads them from a descriptor while it waits
 * for other events.  SIGINT and SIGHUP, which a terminal sends to everybody, are for the master to act on.
 */

#include <stdbool.h>

/* Opens a signalfd for SIGTERM and SIGUSR1; the caller closes it.  -1 with errno: the kernel refuses it. */
int signals_open(void);

/* Reads one signal, if there is one.  SIGUSR1 reopens the log.  True: it is SIGTERM. */
bool signals_take(int fd);

#endif
