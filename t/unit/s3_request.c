/*
 * Who may sign the certificate of an object store, and how long a request waits for one.  All the rest of it
 * is in t/755-object-store.t.
 */

#include "net/s3.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "net/s3_credentials.h"
#include "tap.h"

#define AUTHORITIES "/authorities.pem"

enum { PATIENCE_MS = 300, LONG_MS = 30 * 1000, SHORT_US = 200 * 1000, MOST_US = 5 * CLOCK_SECOND };

/* What libcurl would trust. */
static struct {
	int files, own, directories; /* own: that of the settings */
} loaded;

static int
load_file(const char *file)
{
	loaded.files++;
	loaded.own += strcmp(file, AUTHORITIES) == 0;
	return 1;
}

/* In place of OpenSSL's: versions of libcurl call one pair or the other. */
int
SSL_CTX_load_verify_file(SSL_CTX *ctx, const char *file)
{
	(void)ctx;
	return load_file(file);
}

int
X509_STORE_load_file(X509_STORE *store, const char *file)
{
	(void)store;
	return load_file(file);
}

int
SSL_CTX_load_verify_dir(SSL_CTX *ctx, const char *dir)
{
	(void)ctx;
	(void)dir;
	loaded.directories++;
	return 1;
}

int
X509_STORE_load_path(X509_STORE *store, const char *dir)
{
	(void)store;
	(void)dir;
	loaded.directories++;
	return 1;
}

/* A store at a server that never says anything. */
static struct s3 *
store_new(struct arena *a, int server, const char *ca_file, int64_t patience_ms)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t n = sizeof(sa);
	struct s3_conf *conf = arena_alloc(a, sizeof(*conf));

	(void)getsockname(server, (struct sockaddr *)&sa, &n);
	*conf = (struct s3_conf) { .keys = "store", .region = "us-east-1", .bucket = "bucket", .prefix = "",
		.endpoint = arena_printf(a, "https://127.0.0.1:%d", ntohs(sa.sin_port)), .credentials = "",
		.ca_file = ca_file, .path_style = true, .patience_ms = patience_ms };
	return s3_new(a, conf);
}

static void
ask(int server, const char *ca_file)
{
	struct arena *a = arena_new();
	struct slice text;
	struct err err = { 0 };

	memset(&loaded, 0, sizeof(loaded));
	is_int(s3_get_text(store_new(a, server, ca_file, PATIENCE_MS), a, "key", &text, &err), -1, "no answer");
	arena_free(a);
}

/* Asks for a key; the error has this text. */
static void
times_out(struct s3 *s, const char *text, const char *name)
{
	struct arena *a = arena_new();
	struct err err = { 0 };
	int64_t began_us = clock_us();
	struct slice answer;

	is_int(s3_get_text(s, a, "key", &answer, &err), -1, name);
	ok(clock_us() - began_us < MOST_US, "%s: in time", name);
	ok(strstr(err.detail, text) != NULL, "%s: %s", name, err.detail);
	arena_free(a);
}

static void
test_deadline(int server)
{
	struct arena *a = arena_new();
	struct s3 *s = store_new(a, server, "", LONG_MS);

	s3_set_deadline(s, clock_us() + SHORT_US);
	times_out(s, "imed out", "a deadline ends a request that has patience");
	times_out(s, "no time is left", "after it none begins");
	s3_set_deadline(s, clock_us() + SHORT_US);
	times_out(s, "imed out", "so short a time says nothing about the store: the next request asks it");
	s3_set_deadline(s, 0);
	s3_set_patience(s, PATIENCE_MS);
	times_out(s, "imed out", "without a deadline its patience counts");
	times_out(s, "a moment ago", "which says that the store is away");
	arena_free(a);
}

/* The credentials at the end of a file of so many bytes are read, or the file is refused. */
static void
test_credentials(size_t size, bool good)
{
	static const char end[] = "\n[default]\naws_access_key_id = id\naws_secret_access_key = secret\n";
	struct arena *a = arena_new();
	char path[] = "/tmp/berth-credentials-XXXXXX";
	char *text = arena_alloc(a, size);
	int fd = mkstemp(path);
	struct s3_credentials c = { NULL, NULL, NULL };
	struct err err = { 0 };

	memset(text, '#', size);
	memcpy(text + size - strlen(end), end, strlen(end));
	ok(fd != -1 && write(fd, text, size) == (ssize_t)size, "a file of credentials");
	is_int(s3_credentials_read(a, path, &c, &err), good ? 0 : -1, "is read as a whole, or not at all");
	is_str(c.key_id, good ? "id" : NULL, "up to its end");
	ok(good || strstr(err.detail, " is longer than 65536 bytes") != NULL, "and the error is about its length");
	close(fd);
	unlink(path);
	arena_free(a);
}

int
main(void)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int server = socket(AF_INET, SOCK_STREAM, 0);

	setenv("AWS_ACCESS_KEY_ID", "id", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	if (bind(server, (const struct sockaddr *)&any, sizeof(any)) == -1 || listen(server, 1) == -1)
		return EXIT_FAILURE;
	ask(server, "");
	ok(loaded.files + loaded.directories > 0, "without a file the authorities of the host may sign");
	ask(server, AUTHORITIES);
	ok(loaded.files == 1 && loaded.own == 1, "with a file those in it may");
	is_int(loaded.directories, 0, "and no others");
	test_deadline(server);
	test_credentials(S3_CREDENTIALS_MAX, true);
	test_credentials(S3_CREDENTIALS_MAX + 1, false);
	close(server);
	return tap_done();
}
