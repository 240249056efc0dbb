/* access/signed_download: the file of the key, and what is signed. */
#include "access/signed_download.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/base64.h"
#include "tap.h"

#define KEY "0123456789abcdefghijklmnopqrstuvwxyzABCDEF_-"

static struct arena *a;
static struct err err;

static void
test_parse(void)
{
	char longest[SIGNED_DOWNLOAD_KEY_MAX + 1], *line;
	struct signed_download_key key;
	static const char *const bad[] = {
		"", "\n", "# \"\" \"" KEY "\";\n", KEY, "\"\" \"\";\n", "\"\" \"0123456789abcdef0123456789abcde\";\n",
		"\"\" \"" KEY "\"\n", "\"\" \"" KEY "\"; \n", " \"\" \"" KEY "\";\n", "\"\" \"" KEY "$\";\n",
		"\"\" \"" KEY "\\\";\n", "\"\" \"" KEY "\";\r\n", "\"\" \"" KEY "\";\n\"\" \"" KEY "\";\n",
		"\"\" \"" KEY "\";\nmore\n", "default \"" KEY "\";\n",
	};

	is_int(signed_download_parse_key(slice_str("# from openssl rand\n\n\"\" \"" KEY "\";\n"), &key, &err), 0, "a key");
	is_str(key.text, KEY, "is it");
	is_int(signed_download_parse_key(slice_str("\"\" \"" KEY "\";"), &key, &err), 0, "without an end of line");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		err_clear(&err);
		ok(signed_download_parse_key(slice_str(bad[i]), &key, &err) == -1, "bad %zu", i);
		ok(err.status == 500 && strstr(err.detail, "download_key: there ") == err.detail,
		    "bad %zu: says what is wrong", i);
		ok(key.text[0] == '\0', "bad %zu: no key", i);
	}
	memset(longest, 'k', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	line = arena_printf(a, "\"\" \"%s\";\n", longest);
	is_int(signed_download_parse_key(slice_str(line), &key, &err), 0, "the longest key");
	is_str(key.text, longest, "is it");
	line = arena_printf(a, "\"\" \"%sk\";\n", longest);
	is_int(signed_download_parse_key(slice_str(line), &key, &err), -1, "one that is longer");
}

static void
test_read(void)
{
	char path[] = "/tmp/berth-key-XXXXXX";
	struct signed_download_key key;
	int fd = mkstemp(path);

	ok(fd != -1 && dprintf(fd, "\"\" \"%s\";\n", KEY) > 0, "a file");
	is_int(signed_download_read_key(path, &key, &err), 0, "is read");
	is_str(key.text, KEY, "as it is");
	for (int i = 0; i < SIGNED_DOWNLOAD_FILE_MAX; i++)
		(void)!write(fd, "\n", 1);
	is_int(signed_download_read_key(path, &key, &err), -1, "not if it is too long");
	ok(strstr(err.detail, "too long") != NULL, "says so");
	close(fd);
	unlink(path);
	is_int(signed_download_read_key(path, &key, &err), -1, "nor if there is none");
	is_str(key.text, "", "no key");
	ok(strstr(err.detail, path) != NULL, "names the file");
}

/* Computed here once more, from what the header says. */
static void
test_sign(void)
{
	struct signed_download d = { 7, "g-1", "user:3", 1790000000, "Bearer x y" }, other = d;
	static const struct signed_download_key key = { KEY };
	static const char text[] = KEY " 7 g-1 user:3 1790000000 Bearer x y " KEY;
	static const char before[] = "g=g-1&u=user:3&e=1790000000&s=";
	unsigned char want[EVP_MAX_MD_SIZE];
	char *q = signed_download_query(a, &key, &d), got[32];
	size_t n = 0;

	EVP_Digest(text, strlen(text), want, NULL, EVP_md5(), NULL);
	ok(strncmp(q, before, strlen(before)) == 0, "what is signed is there to read");
	is_int(strlen(q), strlen(before) + 22, "and a signature of 22");
	ok(base64url_decode(slice_str(q + strlen(before)), got, &n) && n == 16 && memcmp(got, want, 16) == 0,
	    "which is the MD5");
	ok(strstr(q, "Bearer") == NULL && strstr(q, KEY) == NULL, "neither token nor key are in it");
	other.authorization = "Bearer x z";
	ok(strcmp(signed_download_query(a, &key, &other), q) != 0, "another token: another signature");
	other = d;
	other.project_id = 8;
	ok(strcmp(signed_download_query(a, &key, &other) + strlen(before), q + strlen(before)) != 0, "another project, too");
}

int
main(void)
{
	a = arena_new();
	test_parse();
	test_read();
	test_sign();
	arena_free(a);
	return tap_done();
}
