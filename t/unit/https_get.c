/* Outbound requests end in their time, whatever takes so long.  All the rest of them is in t/650-oidc.t. */

#include "net/https_get.h"

#include <netdb.h>
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
	return tap_done();
}
