#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * The one error idiom.  A function that can fail returns 0, or -1 with *err
 * set exactly once, where the failure was first seen.  A caller passes -1 on
 * and may add context to `detail`; it never replaces what is there.  Only
 * http/response.c turns an err into HTTP.  Leaves never log.
 *
 * `pub` is shown to the client, as one sentence in the error format of its route; http/response.c cuts it,
 * and it has room for all that is left then, whatever alphabet it is in.
 * `detail` is only ever logged.  For a status of 500 and above `pub` is a
 * fixed sentence for that status, so that nothing internal reaches a client.
 */

#include <stddef.h>

enum { ERR_PUB_SIZE = 2048, ERR_DETAIL_SIZE = 512 };

/* Why a client was refused, where the status has more than one cause that counters tell apart. */
enum err_reason { ERR_BY_STATUS, ERR_PROTECTED, ERR_QUOTA };

struct err {
	int status; /* HTTP status; 0: no error */
	enum err_reason reason;
	int retry_after; /* seconds, set after a 429; 0: what is usual for the status */
	char pub[ERR_PUB_SIZE];
	char detail[ERR_DETAIL_SIZE];
};

/*
 * Sets status (400..499) and the sentence that the client sees.  Client bytes
 * in the arguments are safe: control bytes and invalid UTF-8 are replaced and
 * text that is too long is cut between characters.  Always returns -1.
 */
int err_set(struct err *, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * Sets status (500..599) with the fixed public sentence; the formatted text
 * goes to `detail` alone.  Always returns -1.
 */
int err_internal(struct err *, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_internal with status 500, followed by ": " and strerror(errno). */
int err_sys(struct err *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same, but 503 for a disk that is full or read-only: a matter for operations. */
int err_disk(struct err *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Replaces the sentence of a 503 that is set, where the client may know what is away and can act on it.
 * Returns -1, so that it can be returned.
 */
int err_tell(struct err *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Sets the reason of a refusal that is set.  Returns -1, so that it can be returned. */
int err_because(struct err *, enum err_reason);

/* Appends "; " and the text to `detail`.  Returns -1, so that it can be returned. */
int err_context(struct err *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Sets it back to "no error". */
void err_clear(struct err *);

/* The reason phrase of an HTTP status that Berth uses; "Error" for others. */
const char *err_status_text(int status);

#endif
