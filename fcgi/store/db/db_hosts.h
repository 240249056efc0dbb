#ifndef STORE_DB_DB_HOSTS_H
#define STORE_DB_DB_HOSTS_H

/*
 * The hosts of a connection string, so that each gets a part of the time.  libpq tries them one after the
 * other, but a program that polls has to end the wait for a host that does not answer, and libpq then
 * starts with the first one again (PostgreSQL, libpq: connect_timeout and PQconnectPoll).
 */

#include <stddef.h>

enum { DB_HOSTS_MAX = 16 };

struct db_hosts {
	/* 0: libpq tries the hosts, since there is one, or their order has a meaning (prefer-standby) */
	size_t n;
	char *lists[3]; /* host, hostaddr, port: the members below point into them */
	const char *host[DB_HOSTS_MAX]; /* "": not given, as in the next two */
	const char *address[DB_HOSTS_MAX];
	const char *port[DB_HOSTS_MAX];
};

void db_hosts_read(struct db_hosts *, const char *conninfo);
void db_hosts_free(struct db_hosts *);

#endif
