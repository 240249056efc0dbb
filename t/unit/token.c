#include "access/token.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "tap.h"

enum { OLD_TEXT_SIZE = 59, TEXT_SIZE = 84, HANDLE_AT = 10, SECRET_AT = 29 };

static struct arena *a;
static struct err err;

static const struct token_keys none = { .registry_id = "00000000-0000-4000-8000-000000000001" };
static const struct token_keys keys = {
	.registry_id = "00000000-0000-4000-8000-000000000001",
	.v = { { "k1", "0123456789012345678901234567890123456789012" },
	    { "k2", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq" } },
	.n = 2,
};

static void
test_generate(const struct token_keys *k, size_t length)
{
	static const char *const starts[] = { "berth_pat_", "berth_dep_", "berth_job_" };
	struct token made, other, read;

	for (int kind = 0; kind < TOKEN__MAX; kind++) {
		is_int(token_generate((enum token_kind)kind, k, &made, &err), 0, "generate");
		is_int(strlen(made.text), length, "length");
		ok(strncmp(made.text, starts[kind], 10) == 0, "prefix of %s", token_kind_names[kind]);
		ok(token_parse(slice_str(made.text), k, &read), "parses");
		is_int(read.kind, kind, "kind");
		ok(memcmp(made.digest, read.digest, sizeof(read.digest)) == 0, "same digest");
		is_str(read.handle, made.handle, "same handle");
	}
	is_int(token_generate(TOKEN_JOB, k, &other, &err), 0, "another");
	ok(strcmp(made.text, other.text) != 0, "two tokens differ");
}

static void
test_digest(void)
{
	unsigned char sha[TOKEN_DIGEST_SIZE];
	struct token t;
	char *text;

	is_int(token_generate(TOKEN_PERSONAL, &none, &t, &err), 0, "without a key");
	EVP_Digest(t.text, OLD_TEXT_SIZE, sha, NULL, EVP_sha256(), NULL);
	ok(memcmp(t.digest, sha, sizeof(sha)) == 0, "the digest is SHA-256 of the text");
	is_str(t.handle, "", "and it has no handle");
	is_int(token_generate(TOKEN_PERSONAL, &keys, &t, &err), 0, "with keys");
	text = arena_printf(a, "%s %s", keys.registry_id, t.text);
	EVP_Digest(text, strlen(text), sha, NULL, EVP_sha256(), NULL);
	ok(memcmp(t.digest, sha, sizeof(sha)) == 0, "the digest is SHA-256 of registry and text");
	ok(strncmp(t.handle, "k2", 2) == 0 && strlen(t.handle) == 18 &&
	        strncmp(t.text + HANDLE_AT, t.handle, 18) == 0, "its handle begins with the last slot");
}

static int
compare_tokens(const void *x, const void *y)
{
	return strcmp(((const struct token *)x)->text, ((const struct token *)y)->text);
}

/*
 * In 20,000 tokens each of the 62 digits occurs about as often as the others, at each random place.
 * Chi-square of 61 degrees of freedom has a mean of 61 and a deviation of 11: what is honest passes
 * 150 once in 10^8 times.
 */
static void
test_spread(const struct token_keys *k, int first, int last)
{
	enum { TOKENS = 20000, DIGITS = 62, CHI_SQUARE_MAX = 150 };
	static unsigned counts[TEXT_SIZE][128];
	struct token *tokens = calloc(TOKENS, sizeof(*tokens));
	double worst = 0, expected = (double)TOKENS / DIGITS;
	int same = 0, failed = 0;

	memset(counts, 0, sizeof(counts));
	for (int i = 0; tokens != NULL && i < TOKENS; i++) {
		failed += token_generate(TOKEN_PERSONAL, k, &tokens[i], &err) == -1;
		for (int namespace = first; namespace < last; namespace++)
			counts[namespace][(unsigned char)tokens[i].text[namespace] & 127]++;
	}
	is_int(failed, 0, "20000 tokens");
	for (int namespace = first; namespace < last; namespace++) {
		double chi_square = 0;

		for (int c = 0; c < 128; c++) {
			double off = counts[namespace][c] - expected;

			/* slot and `_` are the same in each */
			if (counts[namespace][c] > 0 && counts[namespace][c] < TOKENS)
				chi_square += off * off / expected;
		}
		if (chi_square > worst)
			worst = chi_square;
	}
	ok(worst > 1 && worst < CHI_SQUARE_MAX, "no digit is preferred anywhere: chi-square up to %.1f",
	    worst);
	if (tokens != NULL) {
		qsort(tokens, TOKENS, sizeof(*tokens), compare_tokens);
		for (int i = 1; i < TOKENS; i++)
			same += compare_tokens(&tokens[i - 1], &tokens[i]) == 0;
	}
	is_int(same, 0, "no token comes twice");
	free(tokens);
}

static void
test_spoiled(const struct token_keys *k, size_t length)
{
	struct token t, read;
	char text[TOKEN_TEXT_SIZE + 1] = "";
	size_t passed = 0;

	is_int(token_generate(TOKEN_PERSONAL, k, &t, &err), 0, "a token to spoil");
	memcpy(text, t.text, sizeof(t.text));
	for (size_t i = 0; i < length; i++) {
		char was = text[i];

		/* a slot that is not known is looked up */
		if (k->n > 0 && i >= HANDLE_AT && i < HANDLE_AT + 2)
			continue;
		text[i] = was == 'x' ? 'y' : 'x';
		passed += token_parse(slice_str(text), k, &read);
		text[i] = was;
	}
	is_int(passed, 0, "no single wrong character passes");
	ok(!token_parse(slice_of(text, length - 1), k, &read), "one byte short");
	text[length] = 'a';
	ok(!token_parse(slice_of(text, length + 1), k, &read), "one byte long");
	text[length] = '\0';
	text[20] = '\0';
	ok(!token_parse(slice_of(text, length), k, &read), "NUL inside");
	text[20] = '-';
	ok(!token_parse(slice_of(text, length), k, &read), "no digit of base 62");
}

static void
test_refused(void)
{
	/* the checksum was computed by another program */
	static const char good[] = "berth_pat_00000000000000000000000000000000000000000002BqHF3";
	struct token read;

	ok(!token_parse(slice_of("", 0), &keys, &read), "empty");
	ok(!token_parse(slice_str("glpat-abcdefghijklmnopqrst"), &keys, &read), "another kind");
	ok(token_parse(slice_str(good), &keys, &read), "the older form has not changed");
}

/* A MAC proves one text under one key of one registry. */
static void
test_mac(void)
{
	/* made by `printf ... | openssl md5 -binary | basenc --base64url` */
	static const char good[] =
	    "berth_pat_k10000000000000001_00000000000000000000000000000000_5GUwcpEBRq1cjuk8Lb0uYw";
	struct token_keys other = keys, gone = keys;
	struct token t, read;
	char text[TOKEN_TEXT_SIZE];

	ok(token_parse(slice_str(good), &keys, &read), "the form has not changed");
	is_str(read.handle, "k10000000000000001", "its handle");
	is_int(token_generate(TOKEN_PERSONAL, &keys, &t, &err), 0, "a token");
	memcpy(other.v[1].key, "ABC", 3);
	ok(!token_parse(slice_str(t.text), &other, &read), "another key of the slot: refused");
	gone.n = 1;
	ok(token_parse(slice_str(t.text), &gone, &read), "a slot that is gone: it is looked up");
	ok(memcmp(t.digest, read.digest, sizeof(t.digest)) == 0, "by the same digest");
	other = keys;
	other.registry_id[0] = '1';
	ok(!token_parse(slice_str(t.text), &other, &read), "of another registry: refused");
	memcpy(text, t.text, sizeof(text));
	memcpy(text, "berth_job_", 10);
	ok(!token_parse(slice_str(text), &keys, &read), "of another kind: refused");
	memcpy(text, t.text, sizeof(text));
	text[TEXT_SIZE - 1] = text[TEXT_SIZE - 1] == 'A' ? 'B' : 'R';
	ok(!token_parse(slice_str(text), &keys, &read), "another spelling of a MAC: refused");
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
	accepts("Token t", "t", "Token");
	accepts("tOKEN   t", "t", "tOKEN, several spaces");
	accepts("Tokens", "Tokens", "a word that begins so is a token");
	refuses("Token", 401, "Token alone");
	refuses("token  ", 401, "token and spaces");
	refuses("Token Bearer t", 401, "two schemes");
	refuses("Tokens t", 401, "another scheme");
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
	struct token first, second;
	const char *one = first.text, *two = second.text;

	is_int(token_generate(TOKEN_PERSONAL, &keys, &first, &err), 0, "one token");
	is_int(token_generate(TOKEN_JOB, &none, &second, &err), 0, "another token");
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
	test_generate(&keys, TEXT_SIZE);
	test_generate(&none, OLD_TEXT_SIZE);
	test_digest();
	test_spread(&keys, HANDLE_AT + 2, TEXT_SIZE - 23);
	/* 256 bits do not fill the first digit */
	test_spread(&none, HANDLE_AT + 1, OLD_TEXT_SIZE - 6);
	test_spoiled(&keys, TEXT_SIZE);
	test_spoiled(&none, OLD_TEXT_SIZE);
	test_refused();
	test_mac();
	test_header();
	test_basic();
	test_limits();
	arena_free(a);
	return tap_done();
}
