#ifndef STORE_DB_DB_HOSTS_H
#define STORE_DB_DB_HOSTS_H

/*
 * The hosts of a connection string, to try each for a part of the time: libpq tries them one after the other,
 * but a program that polls has to end the wait for a host that does not answer, and libpq then starts with
 * the first one again (libpq, 34.2, connect_timeout and PQconnectPoll).
 */

#include <stddef.h>

enum { DB_HOSTS_MAX = 16 };

struct db_hosts {
	/* 0: libpq decides, since there is one host, or their order has a meaning (prefer-standby) */
	size_t n;
	char *lists[3]; /* host, hostaddr, port: what the others point into */
	const char *host[DB_HOSTS_MAX]; /* "" as the others: not given */
	const char *address[DB_HOSTS_MAX];
	const char *port[DB_HOSTS_MAX];
};

void db_hosts_read(struct db_hosts *, const char *conninfo);
void db_hosts_free(struct db_hosts *);

#endif
