#ifndef NET_HTTPS_PEER_H
#define NET_HTTPS_PEER_H

/*
 * Reads the certificates that our own server presents: it makes the TLS handshake and sends no request.  It
 * does not check whether they are trusted, because that depends on the client.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { HTTPS_PEER_NAME_SIZE = 256 };

struct https_peer {
	int64_t not_after; /* when the first of the chain expires, in seconds since 1970 */
	char expires[HTTPS_PEER_NAME_SIZE]; /* the subject of that one */
	bool named; /* the server's own certificate is for the host of the URL */
};

/* Connects to host and port of the URL, for timeout_ms at most.  -1: 503 no connection, or no certificate. */
int https_peer(const char *url, long timeout_ms, struct https_peer *, struct err *)
    __attribute__((warn_unused_result));

#endif
