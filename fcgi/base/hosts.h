#ifndef BASE_HOSTS_H
#define BASE_HOSTS_H

/*
 * Lists of hosts, as configuration values have them: "ci.example.com .example.org 10.0.0.0/8", with
 * blanks between.  A name, with a dot before it or not, stands for itself and for all names below it,
 * in any case; an address or a network only for hosts that are given as an address, since nobody
 * looks a name up here.
 */

#include <stdbool.h>

#include "base/slice.h"

/* Is each word a name, an address or a network (base/cidr.h), without a port? */
bool hosts_valid(const char *list);

/* Is the host in the list?  As it stands in a URL: an IPv6 address is in brackets. */
bool hosts_include(const char *list, struct slice host);

#endif
