#ifndef HTTP_FCGI_H
#define HTTP_FCGI_H

/* The only door to libfcgi: one connection from nginx, one request at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fcgi_conn;

/*
 * listen_fd must be non-blocking.  A peer that is silent for so many seconds
 * in the middle of a request has gone.  NULL where libfcgi cannot start.
 */
struct fcgi_conn *fcgi_open(int listen_fd, int64_t silence);
void fcgi_close(struct fcgi_conn *);

/*
 * True between two requests of one connection (FCGI_KEEP_CONN).  Such a
 * connection keeps the worker from all others, so let it idle only shortly.
 */
bool fcgi_is_kept(const struct fcgi_conn *);

/* Its descriptor, or -1: the next request comes over a new one. */
int fcgi_kept_fd(const struct fcgi_conn *);

/* Has the peer closed the connection, as nginx does when its client has gone? */
bool fcgi_peer_has_gone(const struct fcgi_conn *);

/* Closes a kept connection. */
void fcgi_drop(struct fcgi_conn *);

/*
 * Accepts a connection, or goes on with the kept one, and reads the parameters
 * of its request.  1: there is a request.  0: none after all (another worker
 * took it, the peer has gone, or sent garbage).  Never waits for a connection: wait
 * for one first (pool/wait.h).
 */
int fcgi_accept(struct fcgi_conn *);

/* A parameter, e.g. "REQUEST_URI", or NULL; the first where it was sent twice. */
const char *fcgi_param(const struct fcgi_conn *, const char *name);

/* How often the parameter was sent. */
size_t fcgi_param_count(const struct fcgi_conn *, const char *name);

/* Up to n bytes of the body; 0 at its end, and where the peer has gone. */
size_t fcgi_read(struct fcgi_conn *, void *, size_t n);

/* 0, or -1 where the peer has gone. */
int fcgi_write(struct fcgi_conn *, const void *, size_t n);

/* Ends the request.  0, or -1 where the answer could not be sent whole. */
int fcgi_finish(struct fcgi_conn *);

#endif
