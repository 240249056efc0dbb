#ifndef HTTP_FCGI_H
#define HTTP_FCGI_H

/* The only door to libfcgi: one connection from nginx, one request at a time. */

#include <stddef.h>

struct fcgi_conn;

/* listen_fd must be non-blocking.  NULL where libfcgi cannot start. */
struct fcgi_conn *fcgi_open(int listen_fd);
void fcgi_close(struct fcgi_conn *);

/*
 * Accepts a connection and reads the parameters of its request.  1: there is a
 * request.  0: none after all (another worker took it, or the peer sent
 * nonsense).  Never waits for a connection: poll the listening descriptor first.
 */
int fcgi_accept(struct fcgi_conn *);

/* A parameter, e.g. "REQUEST_URI", or NULL. */
const char *fcgi_param(const struct fcgi_conn *, const char *name);

/* Up to n bytes of the body; 0 at its end. */
size_t fcgi_read(struct fcgi_conn *, void *, size_t n);

/* 0, or -1 where the peer has gone. */
int fcgi_write(struct fcgi_conn *, const void *, size_t n);

/* Ends the request.  0, or -1 where the answer could not be sent whole. */
int fcgi_finish(struct fcgi_conn *);

#endif
