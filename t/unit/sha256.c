/* base/sha256: the examples of FIPS 180-2, again and again, in pieces, also after a fork. */
#include "base/sha256.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/hex.h"
#include "tap.h"

static const char *
digest(const char *text, size_t n)
{
	static char hex[2 * SHA256_SIZE + 1];
	unsigned char out[SHA256_SIZE];

	if (!sha256_digest(text, n, out))
		return "failed";
	hex_encode(out, sizeof(out), hex);
	return hex;
}

static bool
is_abc(void)
{
	return strcmp(digest("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") == 0;
}

static bool
is_same(struct sha256 *h, const char *want)
{
	char hex[2 * SHA256_SIZE + 1];
	unsigned char out[SHA256_SIZE];

	if (!sha256_end(h, out))
		return false;
	hex_encode(out, sizeof(out), hex);
	return strcmp(hex, want) == 0;
}

static void
test_pieces(void)
{
	static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	struct sha256 one, other, none = { 0 };
	unsigned char out[SHA256_SIZE];

	ok(sha256_begin(&one) && sha256_begin(&other), "two begin");
	ok(sha256_add(&one, "a", 1) && sha256_add(&other, "x", 1) && sha256_add(&one, "", 0), "in turns");
	ok(is_abc(), "a whole one in between");
	ok(sha256_add(&one, "bc", 2) && is_same(&one, abc), "in pieces it is the same");
	ok(!sha256_add(&one, "d", 1) && !sha256_end(&one, out),
	    "after its end there is nothing to add, nor another end");
	ok(is_same(&other, digest("x", 1)), "the other one is not touched by that");
	ok(sha256_begin(&one) && is_same(&one, digest("", 0)), "none at all");
	ok(sha256_begin(&one) && sha256_add(&one, "a", 1), "one that nobody wants any more");
	sha256_drop(&one);
	sha256_drop(&one);
	sha256_drop(&none);
	ok(!sha256_add(&one, "a", 1) && !sha256_end(&one, out) && !sha256_end(&none, out), "has no end");
}

int
main(void)
{
	int status;
	pid_t pid;

	is_str(digest("", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "of nothing");
	for (int i = 0; i < 3; i++)
		ok(is_abc(), "of abc, time %d", i);
	is_str(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56),
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "of more than a block");
	test_pieces();
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(is_abc() ? 0 : 1);
	ok(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "in a child");
	ok(is_abc(), "and in its parent after that");
	return tap_done();
}
