#ifndef T_FAKE_FCGI_H
#define T_FAKE_FCGI_H

/*
 * The door to libfcgi (http/fcgi.h), made of memory: parameters and a body go
 * in, what was written comes out.  Defined here, it takes the place of the
 * library's when a test is linked.
 */

#include <stdint.h>
#include <string.h>

#include "http/fcgi.h"

struct fcgi_conn {
	const char *params[32]; /* name, value, name, value, ... NULL */
	const char *body;
	size_t body_n;
	size_t body_at;
	size_t piece; /* no read gives more; 0: no such limit */
	char out[256 * 1024];
	size_t out_n;
	int gone; /* the peer takes nothing any more */
};

const char *
fcgi_param(const struct fcgi_conn *c, const char *name)
{
	for (size_t i = 0; c->params[i] != NULL; i += 2) {
		if (strcmp(c->params[i], name) == 0)
			return c->params[i + 1];
	}
	return NULL;
}

size_t
fcgi_param_count(const struct fcgi_conn *c, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; c->params[i] != NULL; i += 2)
		count += strcmp(c->params[i], name) == 0;
	return count;
}

size_t
fcgi_read(struct fcgi_conn *c, void *p, size_t n)
{
	size_t left = c->body_n - c->body_at;

	if (n > left)
		n = left;
	if (c->piece != 0 && n > c->piece)
		n = c->piece;
	if (n > 0)
		memcpy(p, c->body + c->body_at, n);
	c->body_at += n;
	return n;
}

int
fcgi_write(struct fcgi_conn *c, const void *p, size_t n)
{
	if (c->gone || n >= sizeof(c->out) - c->out_n)
		return -1;
	memcpy(c->out + c->out_n, p, n);
	c->out_n += n;
	c->out[c->out_n] = '\0';
	return 0;
}

#endif
