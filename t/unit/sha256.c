/* base/sha256: the examples of FIPS 180-2, again and again, also after a fork. */
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
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(is_abc() ? 0 : 1);
	ok(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "in a child");
	ok(is_abc(), "and in its parent after that");
	return tap_done();
}
