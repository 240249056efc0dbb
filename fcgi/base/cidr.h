#ifndef BASE_CIDR_H
#define BASE_CIDR_H

/*
 * Lists of IP addresses and networks, as configuration values have them: "10.0.0.0/8 ::1",
 * with blanks between.  An IPv4 address that comes as an IPv6 one (::ffff:10.0.0.1) is the same
 * address.
 */

#include <stdbool.h>

/* Is each word an address, or a network of which no bit behind its prefix is set? */
bool cidr_list_valid(const char *list);

/* Is the address, as text, in one of the list?  What is no address is in none. */
bool cidr_list_has(const char *list, const char *address);

/*
 * Does a network, which must be valid, cover so much that no organisation has it?  Of IPv4 a prefix shorter
 * than /8; of IPv6 one shorter than /16, but for private addresses (fc00::/7), and one with all of IPv4 in
 * it.
 */
bool cidr_is_wide(const char *network);

#endif
