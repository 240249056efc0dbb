#include "access/token.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "tap.h"

enum { TEXT_SIZE = 59 };

static struct arena *a;
static struct err err;

static void
test_generate(void)
{
	char text[TOKEN_TEXT_SIZE], other[TOKEN_TEXT_SIZE];
	unsigned char digest[TOKEN_DIGEST_SIZE], parsed[TOKEN_DIGEST_SIZE], sha[TOKEN_DIGEST_SIZE];
	static const char *const starts[] = { "berth_pat_", "berth_dep_", "berth_job_" };

	for (int k = 0; k < TOKEN__MAX; k++) {
		enum token_kind kind = TOKEN__MAX;

		is_int(token_generate((enum token_kind)k, text, digest, &err), 0, "generate");
		is_int(strlen(text), TEXT_SIZE, "length");
		ok(strncmp(text, starts[k], 10) == 0, "prefix of %s", token_kind_names[k]);
		ok(token_parse(slice_str(text), &kind, parsed), "parses");
		is_int(kind, k, "kind");
		ok(memcmp(digest, parsed, sizeof(digest)) == 0, "same digest");
		EVP_Digest(text, TEXT_SIZE, sha, NULL, EVP_sha256(), NULL);
		ok(memcmp(digest, sha, sizeof(digest)) == 0, "digest is SHA-256 of the text");
	}
	is_int(token_generate(TOKEN_JOB, other, digest, &err), 0, "another");
	ok(strcmp(text, other) != 0, "two tokens differ");
}

static int
compare_texts(const void *x, const void *y)
{
	return memcmp(x, y, TOKEN_TEXT_SIZE);
}

/*
 * Over 10^5 tokens each of the 62 digits turns up as often as the others, at each place but the
 * first, which 256 bits do not fill; and no token twice.  Chi-square of 61 degrees of freedom has
 * a mean of 61 and a deviation of 11: what is honest passes 150 once in 10^8 times.
 */
static void
test_spread(void)
{
	enum { TOKENS = 100000, FIRST = 11, LAST = 53, DIGITS = 62, CHI_SQUARE_MAX = 150 };
	static unsigned counts[LAST][128];
	char (*texts)[TOKEN_TEXT_SIZE] = calloc(TOKENS, sizeof(*texts));
	unsigned char digest[TOKEN_DIGEST_SIZE];
	double worst = 0, expected = (double)TOKENS / DIGITS;
	int same = 0, failed = 0;

	for (int i = 0; texts != NULL && i < TOKENS; i++) {
		failed += token_generate(TOKEN_PERSONAL, texts[i], digest, &err) == -1;
		for (int place = FIRST; place < LAST; place++)
			counts[place][(unsigned char)texts[i][place] & 127]++;
	}
	is_int(failed, 0, "100000 tokens");
	for (int place = FIRST; place < LAST; place++) {
		double chi_square = 0;

		for (int c = 0; c < 128; c++) {
			double off = counts[place][c] - expected;

			if (counts[place][c] > 0)
				chi_square += off * off / expected;
		}
		if (chi_square > worst)
			worst = chi_square;
	}
	ok(worst < CHI_SQUARE_MAX, "no digit is preferred anywhere: chi-square up to %.1f", worst);
	if (texts != NULL) {
		qsort(texts, TOKENS, sizeof(*texts), compare_texts);
		for (int i = 1; i < TOKENS; i++)
			same += compare_texts(texts[i - 1], texts[i]) == 0;
	}
	is_int(same, 0, "no token comes twice");
	free(texts);
}

static void
test_parse_refuses(void)
{
	/* the checksum was computed by another program */
	static const char good[] = "berth_pat_00000000000000000000000000000000000000000002BqHF3";
	unsigned char digest[TOKEN_DIGEST_SIZE];
	enum token_kind kind;
	char text[TOKEN_TEXT_SIZE + 1] = "";

	is_int(token_generate(TOKEN_PERSONAL, text, digest, &err), 0, "a token to spoil");
	for (size_t i = 0; i < TEXT_SIZE; i++) {
		char was = text[i];

		text[i] = was == 'x' ? 'y' : 'x';
		if (token_parse(slice_str(text), &kind, digest))
			break;
		text[i] = was;
		if (i == TEXT_SIZE - 1)
			ok(true, "no single wrong character passes");
	}
	ok(!token_parse(slice_of(text, TEXT_SIZE - 1), &kind, digest), "one byte short");
	text[TEXT_SIZE] = 'a';
	ok(!token_parse(slice_of(text, TEXT_SIZE + 1), &kind, digest), "one byte long");
	ok(!token_parse(slice_of("", 0), &kind, digest), "empty");
	ok(!token_parse(slice_str("glpat-abcdefghijklmnopqrst"), &kind, digest), "another kind");
	text[TEXT_SIZE] = '\0';
	text[20] = '\0';
	ok(!token_parse(slice_of(text, TEXT_SIZE), &kind, digest), "NUL inside");
	text[20] = '-';
	ok(!token_parse(slice_of(text, TEXT_SIZE), &kind, digest), "no digit of base 62");
	ok(token_parse(slice_str(good), &kind, digest), "the format has not changed");
}

static void
accepts(const char *header, const char *want, const char *name)
{
	struct slice out;

	err_clear(&err);
	is_int(token_from_authorization(a, header, &out, &err), 0, name);
	is_str(arena_slicedup(a, out), want, name);
}

static void
refuses(const char *header, int status, const char *name)
{
	struct slice out;

	err_clear(&err);
	is_int(token_from_authorization(a, header, &out, &err), -1, name);
	is_int(err.status, status, name);
	ok(err.pub[0] != '\0', "%s: says why", name);
	is_int(out.n, 0, "no token comes with an error");
}

static void
test_header(void)
{
	accepts(NULL, "", "no header");
	accepts("", "", "empty header");
	accepts("berth_pat_x", "berth_pat_x", "bare");
	accepts("  berth_pat_x ", "berth_pat_x", "bare among spaces");
	accepts("Bearer t", "t", "Bearer");
	accepts("bearer    t", "t", "bearer, several spaces");
	accepts("BEARER\tt", "t", "BEARER, tab");
	refuses("Bearer", 401, "Bearer alone");
	refuses("Bearer ", 401, "Bearer and a space");
	refuses("Bearer a b", 401, "Bearer and two words");
	refuses("Digest t", 401, "another scheme");
	refuses("Token t", 401, "another scheme");
	refuses("Bearer t\xc3\xa9", 401, "bytes outside ASCII");
	refuses("Bearer t\x01", 401, "control byte");
	refuses("Bearer t\x7f", 401, "DEL");
}

static char *
basic(const char *text)
{
	size_t n = strlen(text);
	unsigned char *out = arena_alloc(a, 4 * (n / 3 + 1) + 1);

	EVP_EncodeBlock(out, (const unsigned char *)text, (int)n);
	return arena_printf(a, "Basic %s", (char *)out);
}

static void
test_basic(void)
{
	unsigned char digest[TOKEN_DIGEST_SIZE];
	char one[TOKEN_TEXT_SIZE], two[TOKEN_TEXT_SIZE];

	is_int(token_generate(TOKEN_PERSONAL, one, digest, &err), 0, "one token");
	is_int(token_generate(TOKEN_JOB, two, digest, &err), 0, "another token");
	accepts(basic(arena_printf(a, "user:%s", one)), one, "token as password");
	accepts(basic(arena_printf(a, "%s:", one)), one, "token as user");
	accepts(basic(arena_printf(a, ":%s", one)), one, "token as password of nobody");
	accepts(
	    basic(arena_printf(a, "%s:x-oauth-basic", one)), one, "token as user with a filler");
	accepts(basic("u:a.b.c"), "a.b.c", "what looks like no token is a password");
	accepts(basic("u:a:b"), "a:b", "colon in the password");
	accepts("bAsIC dTp0", "t", "any case");
	refuses(basic(arena_printf(a, "%s:%s", one, two)), 400, "two tokens");
	refuses(basic(":"), 401, "neither");
	refuses(basic("nocolon"), 401, "no colon");
	refuses(basic("u:p\xc3\xa9"), 401, "decoded bytes outside ASCII");
	refuses(basic("u:p q"), 401, "space in the password");
	refuses("Basic x", 401, "base64 of odd length");
	refuses("Basic", 401, "nothing");
	refuses("Basic dTp0dTp!", 401, "no digit of base64");
	refuses("Basic dTp0dQ=", 401, "padding too short");
	refuses("Basic d===", 401, "padding too long");
	refuses("Basic dTp=dTp0", 401, "padding in the middle");
	refuses("Basic OnR=", 401, "bits left over");
	refuses("Basic OnQ==", 401, "too much padding");
	accepts("Basic OnQ=", "t", "one pad");
	accepts("Basic dTp0dA==", "tt", "two pads");
}

static void
test_limits(void)
{
	char *header = arena_alloc(a, TOKEN_HEADER_MAX + 2);

	memset(header, 'a', TOKEN_HEADER_MAX);
	accepts(header, header, "the longest header");
	header[TOKEN_HEADER_MAX] = 'a';
	refuses(header, 401, "a byte more");
}

int
main(void)
{
	a = arena_new();
	test_generate();
	test_spread();
	test_parse_refuses();
	test_header();
	test_basic();
	test_limits();
	arena_free(a);
	return tap_done();
}
