#ifndef NET_S3_REQUEST_H
#define NET_S3_REQUEST_H

/*
 * Makes one request to a bucket of an object store: its headers, its body, and its repetitions.  net/s3.h
 * has the single kinds of requests; only its files and tests use this header.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "base/slice.h"
#include "net/http_status.h"
#include "net/s3_list.h"

struct s3_conf {
	const char *keys; /* "store": berth.conf has these as store_endpoint and so on; for errors */
	const char *endpoint; /* http[s]://host[:port]; "": Amazon's of the region */
	const char *region, *bucket;
	const char *prefix; /* "": none */
	const char *credentials; /* net/s3_credentials.h */
	const char *ca_file; /* PEM, replaces the machine's own; "": none */
	bool path_style; /* the bucket stands in the path, not in the host's name */
	int64_t patience_ms; /* of one request, with its repetitions */
};

/* The kinds of requests. */
enum s3_operation { S3_OP_GET, S3_OP_HEAD, S3_OP_PUT, S3_OP_COPY, S3_OP_LIST, S3_OP_DELETE, S3__OPS };
extern const char *const s3_operations[S3__OPS];

/* Called after each request; us: its time, with repetitions; failed: the store refused, or did not answer. */
typedef void s3_watch_fn(void *arg, enum s3_operation, int64_t us, bool failed);

struct s3 {
	const struct s3_conf *conf;
	const char *origin, *host; /* https://host[:port], and host[:port] */
	void *curl; /* NULL: not used yet */
	void *inherited; /* the handle of the parent process, which uses its connections */
	pid_t pid; /* the process that the handle belongs to */
	int64_t patience_ms;
	int64_t deadline_us; /* s3_set_deadline() */
	int64_t away_until_us;
	char away_key[S3_KEY_MAX + 1]; /* the only object that is away; "": all are */
	bool fails; /* no request has succeeded since the last failure */
	bool refused; /* the store has answered the last request, and refused it */
	bool unconditional; /* the store does not support If-None-Match */
	s3_watch_fn *watch; /* NULL: none */
	void *watch_arg;
};

enum { S3_REASON_SIZE = 256 }; /* libcurl's */

/* One request.  It uses at most one source and at most one sink. */
struct s3_call {
	const char *method, *key, *query; /* query: encoded, sorted */
	const char *copy_source; /* encoded */
	const char *checksum; /* of the source, in base 64 */
	const char *payload; /* the source's SHA-256 in hexadecimal digits */
	bool only_new, ask_checksum;
	struct {
		int fd; /* -1: the text */
		struct slice text;
		int64_t size, at;
	} source;
	struct {
		int fd; /* -1: the text */
		int64_t max, n; /* max: a larger body is 409, and none of its bytes after those are read */
		struct sha256 hash;
		int error; /* errno of a write */
		bool large;
	} sink;
	/* the answer */
	void *curl;
	struct buf text; /* all of it, or that of an error */
	long status;
	char reason[S3_REASON_SIZE];
};

/* conf must live as long as the arena. */
struct s3 *s3_new(struct arena *, const struct s3_conf *);

/* Sets patience_ms, and returns its previous value. */
int64_t s3_set_patience(struct s3 *, int64_t ms);

/*
 * Sets the time of clock_us() at which each request from now on gives up, whatever patience_ms is: several
 * requests together then take no longer.  0: none.
 */
void s3_set_deadline(struct s3 *, int64_t us);

/* The path of a key, with its first slash.  bucket: the path begins with the bucket. */
const char *s3_path(const struct s3 *, struct arena *, const char *key, bool bucket);

/* 0: the store has answered, whatever its status is; -1: err, as net/s3.h says. */
int s3_perform(struct s3 *, struct arena *, struct s3_call *, struct err *)
    __attribute__((warn_unused_result));

/* Has the store failed for this object, while it answers for others? */
bool s3_fails_alone(const struct s3 *, const char *key);

/* The store's error code, such as NoSuchBucket; empty: it has sent none. */
struct slice s3_code(const struct s3_call *);

/*
 * Sets err for an answer that is no success: 503, with status, the store's code and a remedy in `detail`.  If
 * another attempt would not help, sets `refused` as well.  Returns -1.
 */
int s3_refuse(struct s3 *, const struct s3_call *, struct err *);

/* Sets the sentence of err for the client: the store is away.  Returns -1. */
int s3_away(struct err *);

#endif
